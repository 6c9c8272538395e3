import Devices
import Glibc
import SCSI
import Uring

/// Writes records of a tape to a descriptor, without copying them.
struct TapeOutput {
  private let tape: Cartridge
  private let ring: Ring
  private let file: RingFile
  private let descriptor: Int32

  init(_ tape: Cartridge, _ ring: Ring, _ descriptor: Int32) {
    self.tape = tape
    self.ring = ring
    self.descriptor = descriptor
    file = ring.know(descriptor)
  }

  func run(toFilemark: Bool, state: JobState) async -> TapeTransfer {
    var result = TapeTransfer()
    reading: while !state.isCancelled {
      guard let room = ring.arena.allocate(tape.nextRecordLength ?? 512) else {
        result.failure = EngineError(
          .illegalRequest, "\(tape.name): a record larger than the arena")
        break
      }
      let read = await tape.read(into: room)
      let status = read.status
      var record = read.takePayload()
      if let condition = status.condition {
        if condition.filemark {
          result.filemarkCount += 1
          if toFilemark { break reading } else { continue reading }
        }
        if condition.key != .blankCheck {
          result.failure = EngineError(condition, of: tape.name, while: "reading")
        }
        break
      }
      record.truncate(to: status.byteCount)
      let failure = await write(record)
      guard failure == 0 else {
        result.failure = EngineError(
          .file, "standard output: \(unsafe String(cString: strerror(failure)))")
        break
      }
      result.recordCount += 1
      result.byteCount += UInt64(status.byteCount)
    }
    ring.forget(file)
    return result
  }

  /// Writes all of `record` where the descriptor stands: 0 or an errno.
  private func write(_ record: consuming Payload) async -> Int32 {
    var parked: Payload? = consume record
    while let rest = parked.take(), !rest.isEmpty {
      var current: Payload? = consume rest
      let completion = await ring.performWithPayload { handler in
        if let payload = current.take() {
          ring.write(file, at: UInt64.max, from: payload, for: handler, tag: 0)
        }
      }
      let result = completion.result
      var payload = completion.takePayload()
      switch -result {
      case 0: return EIO
      case EAGAIN, EINTR: await ring.sleep(nanoseconds: 1_000_000)
      case let failure where failure > 0: return failure
      default: _ = payload.removeFirst(Int(result))
      }
      parked = consume payload
    }
    return 0
  }
}
