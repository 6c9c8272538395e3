public import Uring

extension DeviceOptions {
  /// Opens the disk that is named; `options` says what it is opened for.
  ///
  /// - Throws: what kept it from being used; `isDirectory` or `notADisk` for tapes.
  public func openDisk(_ options: FileDisk.Options = FileDisk.Options(), ring: Ring)
    async throws(DeviceError) -> BlockDevice
  {
    guard kind == .disk else { throw .notADisk(path: path) }
    var options = options
    if let blockLength { options.blockLength = blockLength }
    if readOnly { options.writes = false }
    let disk = try await FileDisk.open(path, options: options, ring: ring)
    return misbehaviour == Misbehaviour() ? disk : FaultyDisk(disk, misbehaviour, ring: ring)
  }

  /// Opens the cartridge or drive that is named.
  ///
  /// - Throws: what kept it from being used; `notATape` for disks.
  public func openTape(readOnly: Bool = false, ring: Ring) async throws(DeviceError) -> StreamDevice
  {
    var tape: StreamDevice
    switch kind {
    case .disk: throw .notATape(path: path)
    case .cartridge:
      var options = Cartridge.Options()
      options.readOnly = readOnly || self.readOnly
      options.position = position
      tape = try await Cartridge.open(path, options: options, ring: ring)
    case .tape:
      tape = try await LocalTape.open(path, readOnly: readOnly || self.readOnly, ring: ring)
    }
    if misbehaviour != Misbehaviour() {
      tape = FaultyTape(tape, misbehaviour, ring: ring)
    }
    if let drive { tape = StreamingDrive(tape, model: drive, ring: ring) }
    return tape
  }
}
