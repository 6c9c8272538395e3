public import SCSI
import Glibc

extension AdditionalSense {
  /// 27h/07h SPACE ALLOCATION FAILED WRITE PROTECT
  public static let spaceAllocationFailedWriteProtect = AdditionalSense(code: 0x27, qualifier: 0x07)
}

extension Condition {
  /// The condition a disk would have reported where the operating system gave `errno`.
  public static func disk(errno: Int32, writing: Bool, block: UInt64?) -> Condition {
    var condition =
      switch errno {
      case ENOSPC, EDQUOT, EFBIG:
        Condition(.dataProtect, .spaceAllocationFailedWriteProtect)
      default:
        Condition.common(errno: errno, writing: writing)
      }
    condition.information = block.map { Int64(clamping: $0) }
    condition.errno = errno
    return condition
  }

  /// The condition of a tape that is a file.
  static func cartridge(errno: Int32, writing: Bool, residual: Int) -> Condition {
    var condition =
      switch errno {
      case ENOSPC, EDQUOT, EFBIG:
        Condition(.volumeOverflow, .endOfPartitionDetected)
      default:
        Condition.common(errno: errno, writing: writing)
      }
    condition.endOfMedium = condition.key == .volumeOverflow
    condition.information = Int64(residual)
    condition.errno = errno
    return condition
  }

  /// What holds for disks and tapes alike.
  static func common(errno: Int32, writing: Bool) -> Condition {
    var condition =
      switch errno {
      case EIO, EILSEQ, EUCLEAN, EBADMSG, ENODATA:
        Condition(.mediumError, writing ? .writeError : .unrecoveredReadError)
      case EROFS, EPERM, EACCES:
        Condition(.dataProtect, .writeProtected)
      case ENODEV, ENXIO, ESTALE, ENOLINK:
        Condition(.hardwareError, .logicalUnitCommunicationFailure)
      case ETIMEDOUT, ETIME:
        Condition(.hardwareError, .logicalUnitCommunicationTimeOut)
      case ENOMEM, ENOBUFS, EAGAIN:
        Condition(.hardwareError, .systemResourceFailure)
      case ECANCELED:
        Condition(.abortedCommand, .ioProcessTerminated)
      default:
        Condition(.hardwareError, .internalTargetFailure)
      }
    condition.errno = errno
    return condition
  }
}
