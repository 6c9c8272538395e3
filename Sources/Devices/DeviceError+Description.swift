import Glibc

extension DeviceError: CustomStringConvertible {
  /// The cause and the way out, in one line.
  public var description: String {
    switch self {
    case .notFound(let path):
      "\(path): there is no such file; check the name, or create it first"
    case .isDirectory(let path):
      "\(path): is a directory; name a file or a block device, or say tape:\(path) for a cartridge"
    case .notADisk(let path):
      "\(path): is neither a file nor a block device; a tape drive is named /dev/nst0"
    case .permissionDenied(let path, let writing):
      "\(path): this user may not \(writing ? "write" : "read") it; "
        + "change its mode or owner, or run as a user who may"
    case .readOnlyFileSystem(let path):
      "\(path): its file system is mounted read-only; remount it, or say readonly"
    case .busy(let path):
      "\(path): is in use; unmount it or end the program that has it open"
    case .noSpace(let path):
      "\(path): no room on its file system; free some, or choose another place"
    case .sizeNotMultiple(let path, let byteCount, let blockLength):
      "\(path): its size of \(byteCount) bytes is not a multiple of the block length "
        + "\(blockLength); say block=N with a length that divides it, such as block=1"
    case .blockLength(let path, let blockLength, let smallest):
      "\(path): a block length of \(blockLength) is not possible; "
        + "it is a multiple of \(smallest) and at most \(FileDisk.blockLengthMaximum)"
    case .noMemory(let path, let byteCount):
      "\(path): the arena has no room for a buffer of \(byteCount) bytes; make the arena larger"
    case .option(let device, let option, let reason):
      "\(device): \(option): \(reason)"
    case .system(let path, let call, let errno):
      "\(path): \(call) failed: \(systemText(errno))"
    case .cartridgeExists, .notACartridge, .cartridgeVersion, .cartridgeDamaged, .cartridgeInUse,
      .capacity, .position, .notATape, .noMedium, .tapeImage, .transfer:
      tapeDescription
    }
  }

  private var tapeDescription: String {
    switch self {
    case .cartridgeExists(let path):
      "\(path): is a cartridge already; choose another name, or remove it first"
    case .notACartridge(let path):
      "\(path): is not a cartridge; make one with: ecopy tape create \(path)"
    case .cartridgeVersion(let path, let version):
      "\(path): has format version \(version), this program knows \(TapeIndex.version); "
        + "use the program that wrote it"
    case .cartridgeDamaged(let path, let reason):
      "\(path): the cartridge is damaged: \(reason); restore it from a copy of the cartridge"
    case .cartridgeInUse(let path):
      "\(path): another process uses this cartridge; wait until it ends"
    case .capacity(let path, let capacity, let earlyWarning):
      "\(path): a capacity of \(capacity) bytes with an early-warning room of \(earlyWarning) "
        + "is not possible; the capacity is at least 1 and not less than the room"
    case .position(let path, let position, let objectCount):
      "\(path): position \(position) lies behind the end of data; "
        + "the tape has \(objectCount) objects"
    case .notATape(let path):
      "\(path): is not a tape drive; name the non-rewinding device of one, such as /dev/nst0"
    case .noMedium(let path):
      "\(path): no medium in the drive; load one"
    case .tapeImage(let path, let offset, let reason):
      "\(path): not a SIMH tape image at byte \(offset): \(reason); "
        + "check the file, or import it as raw data"
    case .transfer(let path, let condition):
      "\(path): \(condition.description); see the position of the tape before going on"
    default:
      preconditionFailure("the other errors describe themselves")
    }
  }
}

extension Condition: CustomStringConvertible {
  /// Sense key and additional sense in the standard's words, and the operating system's.
  public var description: String {
    var text = "\(key), \(additional)"
    if errno != 0 { text += " (\(systemText(errno)))" }
    return text
  }
}

/// The operating system's words for an errno.
func systemText(_ errno: Int32) -> String {
  unsafe String(cString: strerror(errno))
}
