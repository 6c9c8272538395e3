import ArgumentParser
import CopyEngine
import SCSI

/// Exit codes: those of sg3_utils, so that scripts know them, and own ones from 100 on.
enum ExitStatus {
  static let syntax: Int32 = 1
  static let tapeFull: Int32 = 108

  static func of(_ kind: EngineError.Kind) -> Int32 {
    switch kind {
    case .syntax: syntax
    case .notReady: 2
    case .medium: 3
    case .illegalRequest: 5
    case .unitAttention: 6
    case .dataProtect: 7
    case .aborted: 11
    case .miscompare: 14
    case .file: 15
    case .reserved: 24
    case .busy: 26
    case .contradiction: 31
    case .unavailable: 99
    case .tapeFull: tapeFull
    case .cancelled: 130
    case .other: 98
    }
  }

  static func of(_ status: Status, _ sense: SenseData?) -> Int32 {
    switch status {
    case .good: return 0
    case .reservationConflict: return 24
    case .taskSetFull: return 27
    case .taskAborted: return 29
    case .busy: return 26
    default: break
    }
    switch sense?.key {
    case .copyAborted: return 10
    case .volumeOverflow: return 98
    case .some(let key): return of(EngineError.Kind(status, key))
    case .none: return 98
    }
  }

  /// For the help of the whole program and the manual.
  static let table = """
    EXIT CODES
      0    done; everything written is durable
      1    the command line is not understood
      2    not ready: no medium in the drive
      3    medium or hardware error
      5    illegal request: what was asked is not possible on this device, a list was refused
      6    unit attention: the medium changed, or the device was reset
      7    data protect: write-protected, or a tape that holds data
      10   copy aborted: the sense data says where
      11   aborted command
      14   miscompare: --verify read back something else
      15   a file or device cannot be opened
      24   reservation conflict
      26   busy: another process has the device
      27   task set full
      29   task aborted
      31   options contradict each other, as the same device twice
      98   another sense key
      99   io_uring or its memory is not available: see ecopy doctor
      108  the tape is full; the message says where to go on with the next one
      130  stopped by SIGINT or SIGTERM, at a record border
    """
}

/// Ends the program with a code; whatever there is to say has been said.
struct Exit: Error {
  var code: Int32
}
