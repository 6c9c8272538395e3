import Glibc
public import Uring

extension Cartridge {
  /// What opening found.
  struct Parts: Sendable {
    var directory: String
    var readOnly: Bool
    var data: OpenedFile
    var indexDescriptor: Int32
    var index: TapeIndex
  }

  /// Makes an empty cartridge in a directory of its own.
  ///
  /// - Throws: `cartridgeExists`, `capacity`, or what the file system answered.
  public static func create(at path: String, format: Format = Format(), ring: Ring)
    async throws(DeviceError)
  {
    guard format.capacity > 0, format.earlyWarning <= format.capacity else {
      throw .capacity(
        path: path, capacity: format.capacity, earlyWarning: format.earlyWarning)
    }
    let failure: DeviceError? = await ring.blocking { files in
      let result = files.makeDirectory(path, mode: 0o777)
      guard result == 0 || result == -EEXIST else {
        return .opening(path, errno: -result, writing: true)
      }
      let index = files.open(path + "/index", flags: O_RDONLY, mode: 0)
      if index >= 0 {
        files.close(index)
        return .cartridgeExists(path: path)
      }
      guard index == -ENOENT else { return .opening(path, errno: -index, writing: true) }
      let data = files.open(path + "/data", flags: O_RDWR | O_CREAT, mode: 0o666)
      guard data >= 0 else { return .opening(path, errno: -data, writing: true) }
      defer { files.close(data) }
      guard let status = try? files.status(data), status.byteCount == 0 else {
        return .cartridgeExists(path: path)
      }
      let synchronized = files.synchronize(data)
      guard synchronized == 0 else {
        return .system(path: path, call: "fsync", errno: -synchronized)
      }
      var log = TapeIndex(starting: format)
      let written = replaceIndex(of: path, with: log.encode(.header(format)), files)
      if written != 0 { return .opening(path, errno: -written, writing: true) }
      return synchronizeDirectory(parent(of: path), files) == 0
        ? nil : .system(path: path, call: "fsync", errno: EIO)
    }
    if let failure { throw failure }
  }

  /// Opens a cartridge; no other process can until it is closed.
  ///
  /// - Throws: what kept it from being used, with the way out.
  public static func open(_ path: String, options: Options = Options(), ring: Ring)
    async throws(DeviceError) -> Cartridge
  {
    var result: Result<Parts, DeviceError>
    var attempts = 0
    repeat {
      // The files of a ring that has just ended, and their locks with them, may live a moment on.
      if attempts > 0 { await ring.sleep(nanoseconds: 50_000_000) }
      result = await ring.blocking { openParts(path, options, $0) }
      attempts += 1
    } while result.isInUse && attempts < 5
    let parts = try result.get()
    var payload: Payload?
    if !options.readOnly, !parts.index.format.isWriteProtected {
      payload = ring.arena.allocate(TapeIndex.entryByteCount, alignment: OpenFile.pageByteCount)
      if payload == nil {
        await ring.blocking { closeParts(parts, $0) }
        throw .noMemory(path: path, byteCount: TapeIndex.entryByteCount)
      }
    }
    let count = parts.index.map.objectCount
    let start: UInt64 =
      switch options.position {
      case .beginning: 0
      case .endOfData: count
      case .object(let object): object
      }
    guard start <= count else {
      await ring.blocking { closeParts(parts, $0) }
      throw .position(path: path, position: start, objectCount: count)
    }
    let cartridge = Cartridge(parts, entryPayload: payload, ring: ring)
    cartridge.object = start
    if !cartridge.isWriteProtected {
      await cartridge.preallocation.prepare(from: cartridge.map.dataEnd)
    }
    return cartridge
  }

  private static func closeParts(_ parts: Parts, _ files: FileSystem) {
    files.close(parts.data.buffered)
    if parts.data.direct >= 0 { files.close(parts.data.direct) }
    files.close(parts.indexDescriptor)
  }

  private static func openParts(_ path: String, _ options: Options, _ files: FileSystem)
    -> Result<Parts, DeviceError>
  {
    var request = OpenedFile.Request()
    request.writes = !options.readOnly
    request.direct = options.direct
    let data: OpenedFile
    do throws(DeviceError) {
      data = try OpenedFile.open(path + "/data", request, files).get()
    } catch {
      return .failure(translate(error, path, files))
    }
    let locked = files.lock(data.buffered)
    // The index is opened under the lock: a new one may have taken its name before.
    let file =
      locked == 0
      ? files.open(path + "/index", flags: options.readOnly ? O_RDONLY : O_RDWR, mode: 0) : -1
    do throws(DeviceError) {
      guard locked == 0 else { throw .cartridgeInUse(path: path) }
      guard file >= 0 else {
        throw translate(
          .opening(path + "/index", errno: -file, writing: !options.readOnly), path, files)
      }
      var index = try readIndex(file, path, files)
      if !options.readOnly {
        let end = index.map.dataEnd
        guard data.status.byteCount >= end else {
          throw .cartridgeDamaged(
            path: path,
            reason: "its data has \(data.status.byteCount) bytes where its index tells of \(end) "
              + "(readonly reads what is left)")
        }
        try makeDurable(file, index, path, files)
        index.becameDurable()
      }
      return .success(
        Parts(
          directory: path, readOnly: options.readOnly, data: data, indexDescriptor: file,
          index: index))
    } catch {
      files.close(data.buffered)
      if data.direct >= 0 { files.close(data.direct) }
      if file >= 0 { files.close(file) }
      return .failure(error)
    }
  }

  /// The same error, told of the cartridge and not of the file in it.
  private static func translate(_ error: DeviceError, _ path: String, _ files: FileSystem)
    -> DeviceError
  {
    switch error {
    case .notFound:
      let directory = files.open(path, flags: O_RDONLY, mode: 0)
      guard directory >= 0 else { return .notFound(path: path) }
      files.close(directory)
      return .notACartridge(path: path)
    case .permissionDenied(_, let writing): return .permissionDenied(path: path, writing: writing)
    case .readOnlyFileSystem: return .readOnlyFileSystem(path: path)
    case .isDirectory, .notADisk: return .notACartridge(path: path)
    default: return error
    }
  }

  private static func readIndex(_ file: Int32, _ path: String, _ files: FileSystem)
    throws(DeviceError) -> TapeIndex
  {
    do throws(TapeIndex.DeviceReadFailure) {
      return try TapeIndex { (count, offset) throws(DeviceError) -> [UInt8] in
        do throws(SystemError) {
          return try files.read(file, count: count, at: offset)
        } catch {
          throw .system(path: path + "/index", call: "read", errno: error.errno)
        }
      }
    } catch {
      switch error {
      case .file(let error): throw error
      case .index(.notACartridge): throw .notACartridge(path: path)
      case .index(.version(let version)): throw .cartridgeVersion(path: path, version: version)
      case .index(.damaged(let reason)): throw .cartridgeDamaged(path: path, reason: reason)
      }
    }
  }

  /// Cuts off what stands behind the last valid entry, before anything is written: an entry there
  /// might otherwise fit again behind an entry that happens to be equal. What is left may have been
  /// written by a process that ended before it was durable; the next entry says that it is.
  private static func makeDurable(
    _ file: Int32, _ index: TapeIndex, _ path: String, _ files: FileSystem
  ) throws(DeviceError) {
    if let status = try? files.status(file), status.byteCount > index.byteCount {
      let result = files.truncate(file, to: index.byteCount)
      if result != 0 { throw .system(path: path + "/index", call: "ftruncate", errno: -result) }
    }
    let result = files.synchronize(file)
    if result != 0 { throw .system(path: path + "/index", call: "fsync", errno: -result) }
  }

  // MARK: The index as a file

  /// Puts a new index in place of the old one, durably. 0 or -errno.
  static func replaceIndex(of path: String, with bytes: [UInt8], _ files: FileSystem) -> Int32 {
    let temporary = path + "/index.new"
    let file = files.open(temporary, flags: O_RDWR | O_CREAT | O_TRUNC, mode: 0o666)
    guard file >= 0 else { return file }
    var result = files.write(file, bytes, at: 0)
    if result == 0 { result = files.synchronize(file) }
    files.close(file)
    if result == 0 { result = files.rename(temporary, to: path + "/index") }
    return result == 0 ? synchronizeDirectory(path, files) : result
  }

  static func synchronizeDirectory(_ path: String, _ files: FileSystem) -> Int32 {
    let directory = files.open(path, flags: O_RDONLY | O_DIRECTORY, mode: 0)
    guard directory >= 0 else { return directory }
    defer { files.close(directory) }
    return files.synchronize(directory)
  }

  private static func parent(of path: String) -> String {
    var parts = path.split(separator: "/", omittingEmptySubsequences: true)
    if !parts.isEmpty { parts.removeLast() }
    let joined = parts.joined(separator: "/")
    return path.hasPrefix("/") ? "/" + joined : joined.isEmpty ? "." : joined
  }
}

extension Result where Success == Cartridge.Parts, Failure == DeviceError {
  fileprivate var isInUse: Bool {
    if case .failure(.cartridgeInUse) = self { true } else { false }
  }
}
