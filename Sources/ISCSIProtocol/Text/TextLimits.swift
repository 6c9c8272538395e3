/// How much text a peer may send. RFC 7143 6.1, 6.2.
public enum TextLimits {
  /// Most bytes of a key's name. RFC 7143 6.1.
  public static let keyByteCount = 63
  /// Most bytes of an ordinary value. RFC 7143 6.1.
  public static let valueByteCount = 255
  /// Most bytes of the values that RFC 7143 12 and 13 let be longer: a CHAP value of 1024 bytes has
  /// 2050 hexadecimal digits.
  public static let longValueByteCount = 8192
  /// Most pairs of one text: there are less than 40 keys, the rest is room for `X-` keys.
  public static let pairCount = 64
  /// Most bytes of one text, over all the PDUs that it is cut into.
  public static let byteCount = 64 * 1024
  /// MaxRecvDataSegmentLength before it is declared, and during login. RFC 7143 13.12.
  public static let loginSegmentByteCount = 8192

  static let longKeys: Set = [
    "CHAP_A", "CHAP_N", "CHAP_R", "CHAP_C", "TargetName", "TargetAddress", "SendTargets",
  ]
}
