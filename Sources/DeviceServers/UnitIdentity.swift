/// What a logical unit says it is, in INQUIRY data and designators. SPC-4 6.6, 7.8.6.
public struct UnitIdentity: Hashable, Sendable {
  /// T10 VENDOR IDENTIFICATION: at most 8 ASCII characters.
  public var vendor: String
  /// PRODUCT IDENTIFICATION: at most 16 ASCII characters.
  public var product: String
  /// PRODUCT REVISION LEVEL: at most 4 ASCII characters.
  public var revision: String
  /// PRODUCT SERIAL NUMBER: at most 64 ASCII characters; never changes.
  public var serialNumber: String
  /// A locally assigned NAA designator (type 3) or an extended one (type 6) of 16 bytes; never changes.
  public var naa: [UInt8]

  /// All of it said.
  public init(
    vendor: String = "ECOPY", product: String, revision: String = "0001", serialNumber: String,
    naa: [UInt8]
  ) {
    self.vendor = vendor
    self.product = product
    self.revision = revision
    self.serialNumber = serialNumber
    self.naa = naa
  }
}
