public import Uring

extension DeviceOptions {
  /// Opens the disk that is named; `options` says what it is opened for.
  ///
  /// - Throws: what kept it from being used; `isDirectory` or `notADisk` for tapes.
  public func openDisk(_ options: FileDisk.Options = FileDisk.Options(), ring: Ring)
    async throws(DeviceError) -> BlockDevice
  {
    guard kind == .disk else { throw .notADisk(path: DeviceOptions.shown(path)) }
    var options = options
    if let blockLength { options.blockLength = blockLength }
    if readOnly { options.writes = false }
    return decorated(try await FileDisk.open(path, options: options, ring: ring), ring: ring)
  }

  /// The disk behind what the options say is wrong with it.
  public func decorated(_ disk: BlockDevice, ring: Ring) -> BlockDevice {
    misbehaviour == Misbehaviour() ? disk : FaultyDisk(disk, misbehaviour, ring: ring)
  }

  /// The tape behind what the options say is wrong with it, and how fast its drive is.
  public func decorated(_ plain: StreamDevice, ring: Ring) -> StreamDevice {
    var tape = plain
    if misbehaviour != Misbehaviour() {
      tape = FaultyTape(tape, misbehaviour, ring: ring)
    }
    if let drive { tape = StreamingDrive(tape, model: drive, ring: ring) }
    return tape
  }

  /// Opens the cartridge or drive that is named.
  ///
  /// - Throws: what kept it from being used; `notATape` for disks.
  public func openTape(readOnly: Bool = false, ring: Ring) async throws(DeviceError) -> StreamDevice
  {
    let tape: StreamDevice
    switch kind {
    case .disk, .remote: throw .notATape(path: DeviceOptions.shown(path))
    case .cartridge:
      var options = Cartridge.Options()
      options.readOnly = readOnly || self.readOnly
      options.position = position
      tape = try await Cartridge.open(path, options: options, ring: ring)
    case .tape:
      tape = try await LocalTape.open(path, readOnly: readOnly || self.readOnly, ring: ring)
    }
    return decorated(tape, ring: ring)
  }
}
