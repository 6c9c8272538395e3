internal import SCSI

extension ByteWriter {
  /// Appends three bytes, or refuses a number they cannot hold.
  mutating func checked24(_ value: UInt32, _ name: String) throws(ParameterListError) {
    guard value <= 0xFF_FFFF else {
      throw .notEncodable("\(name) \(value) is more than three bytes hold", at: count)
    }
    uint24(value)
  }
}

extension ParameterListError {
  static func notEncodable(_ why: String, at offset: Int) -> ParameterListError {
    ParameterListError(.notEncodable(why), at: offset)
  }
}
