enum TapeIndex {
  static let version: UInt32 = 1
}
