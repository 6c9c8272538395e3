import Uring

/// What is kept of each unit. All of it blocks.
extension StateDirectory {
  /// No file of reservations is longer: 1024 registrations with names of the greatest length fit.
  static let reservationsByteCountMaximum = 1 << 20
  /// No path is longer.
  private static let placeByteCountMaximum = 4096

  /// The reservations of a unit as they were stored last; nil where none were.
  func reservations(of unit: String) throws(DiskSystemError) -> [UInt8]? {
    let file = "\(path)/reservations/\(unit)"
    let bytes = try Self.read(file, Self.reservationsByteCountMaximum + 1, files)
    guard bytes?.count ?? 0 <= Self.reservationsByteCountMaximum else {
      throw .state(path: file, reason: "is longer than any file of reservations; remove it")
    }
    return bytes
  }

  /// Stores the reservations of a unit; durable when it returns.
  ///
  /// - Throws: what failed; the next to read them finds the old ones.
  func store(reservations bytes: [UInt8], of unit: String) throws(DiskSystemError) {
    let file = "\(path)/reservations/\(unit)"
    let before = try reservations(of: unit)
    do throws(DiskSystemError) {
      try Self.replace(file, bytes, files)
    } catch {
      // The new file may have its name already, and nobody is to count on what is not durable.
      takeBack(file, before)
      throw error
    }
  }

  private func takeBack(_ file: String, _ before: [UInt8]?) {
    if let before {
      try? Self.replace(file, before, files)
    } else {
      _ = files.remove(file)
      try? Self.synchronizeDirectory(of: file, files)
    }
  }

  /// The file that a unit was served from last, as its configuration named it; nil where it never was.
  func servedFile(of unit: String) throws(DiskSystemError) -> String? {
    let bytes = try Self.read("\(path)/units/\(unit)", Self.placeByteCountMaximum + 1, files)
    return bytes.map { String(decoding: $0.last == 0x0A ? $0.dropLast() : $0[...], as: UTF8.self) }
  }

  /// Remembers the file that a unit is served from.
  func remember(file: String, of unit: String) throws(DiskSystemError) {
    try Self.replace("\(path)/units/\(unit)", Array("\(file)\n".utf8), files)
  }
}
