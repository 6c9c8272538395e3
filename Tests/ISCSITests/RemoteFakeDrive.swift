import Devices
import ISCSIProtocol
import SAM
import SCSI
import Uring

@testable import ISCSI

/// A tape drive in memory, with what a test says is wrong with it.
final class FakeDrive {
  enum Object: Equatable {
    case record([UInt8])
    case filemark
  }

  var tape: [Object] = []
  var position = 0
  /// Whether READ POSITION and LOCATE are there.
  var tellsPosition = true
  /// Like tgt: SPACE does not stop at filemarks, and reports end of data without a residual.
  var isVague = false
  /// Records before early warning.
  var capacity = Int.max
  var blockLength = 512
  var isProtected = false
  /// Unit attentions that are due.
  var attentions: [(UInt8, UInt8)] = [(0x29, 0x00)]
  /// Without a cartridge.
  var isEmpty = false
  /// Cuts the connection at the next WRITE, READ or WRITE FILEMARKS: before or after it was executed.
  var cut: Cut?
  /// What happens to the tape while nobody is logged in.
  var duringLoss: (FakeDrive) -> Void = { _ in }
  /// Unit attentions that the next login finds.
  var attentionsAtLoss: [(UInt8, UInt8)] = [(0x29, 0x07)]
  /// What the initiator says to its operator.
  var log = FakeLog()
  /// Ends the connection from this side.
  var disconnect: () async -> Void = {}
  private(set) var commands: [UInt8] = []

  enum Cut { case before, after }

  private var length: Int { tape.count }

  func execute(_ cdb: CommandDescriptorBlock, _ data: [UInt8]) -> FakeAnswer {
    if cdb.operationCode != 0x12, let (code, qualifier) = attentions.first {
      attentions.removeFirst()
      return .check(sense(.unitAttention, code, qualifier))
    }
    commands.append(cdb.operationCode)
    guard [0x08, 0x0A, 0x10].contains(cdb.operationCode), let cut else { return answer(cdb, data) }
    self.cut = nil
    if cut == .after { _ = answer(cdb, data) }
    duringLoss(self)
    attentions += attentionsAtLoss
    return .cut
  }

  private func answer(_ cdb: CommandDescriptorBlock, _ data: [UInt8]) -> FakeAnswer {
    let count = Int(cdb.uint24(at: 2))
    switch cdb.operationCode {
    case 0x00: return isEmpty ? .check(sense(.notReady, 0x3A, 0)) : .good
    case 0x12:
      var inquiry = [UInt8](repeating: 0x20, count: 36)
      inquiry.replaceSubrange(..<8, with: [1, 0x80, 5, 2, 31, 0, 0, 2])
      return .data(inquiry)
    case 0x1A:
      return .data([
        11, 0, isProtected ? 0x90 : 0x10, 8, 0, 0, 0, 0, 0, UInt8(blockLength >> 16),
        UInt8(blockLength >> 8 & 0xFF), UInt8(blockLength & 0xFF),
      ])
    case 0x15:
      blockLength = data.count == 12 ? Int(data[9]) << 16 | Int(data[10]) << 8 | Int(data[11]) : -1
      return .good
    case 0x05: return .data([0, 0x10, 0, 0, 0, 1])
    case 0x01:
      position = 0
      return .good
    case 0x34:
      var answer = [UInt8](repeating: 0, count: 20)
      answer[0] = tellsPosition ? 0 : 0x14
      if tellsPosition { answer[7] = UInt8(position) }
      return .data(answer)
    case 0x2B where tellsPosition:
      position = min(Int(cdb.uint32(at: 3)), length)
      return .good
    case 0x08: return read(count)
    case 0x0A:
      tape.removeSubrange(position...)
      tape.append(.record(data))
      position += 1
      return position > capacity
        ? .check(sense(.noSense, 0, isVague ? 0 : 2, endOfMedium: true)) : .good
    case 0x10:
      tape.removeSubrange(position...)
      tape += [Object](repeating: .filemark, count: count)
      position += count
      return .good
    case 0x11: return space(cdb[1], Int(Int32(bitPattern: cdb.uint24(at: 2) << 8) >> 8))
    default: return .check(sense(.illegalRequest, 0x20, 0))
    }
  }

  private func read(_ count: Int) -> FakeAnswer {
    guard position < length else {
      return .check(
        sense(.blankCheck, 0, isVague ? 0 : 5, information: UInt64(count), endOfMedium: isVague))
    }
    position += 1
    guard case .record(let bytes) = tape[position - 1] else {
      return .check(sense(.noSense, 0, 1, information: UInt64(count), filemark: true))
    }
    if bytes.count == count { return .data(bytes) }
    // The bytes of a read of another length are wrong, as those of tgt are.
    return .check(
      sense(
        .noSense, 0, 0, information: UInt64(bitPattern: Int64(count - bytes.count)),
        incorrectLength: true),
      data: [UInt8](repeating: 0xEE, count: min(count, bytes.count)))
  }

  private func space(_ kind: UInt8, _ count: Int) -> FakeAnswer {
    if kind == 3 {
      position = length
      return .good
    }
    guard kind < 2 else { return .check(sense(.illegalRequest, 0x24, 0)) }
    if kind == 1 { return spaceFilemarks(count) }
    if isVague {
      let target = position + count
      guard target < length else {
        position = length
        return .check(sense(.noSense, 0, 5))
      }
      position = max(0, target)
      return .good
    }
    for done in 0..<abs(count) {
      let left = UInt64(abs(count) - done)
      if count > 0 {
        guard position < length else { return .check(sense(.blankCheck, 0, 5, information: left)) }
        position += 1
        if tape[position - 1] == .filemark {
          return .check(sense(.noSense, 0, 1, information: left, filemark: true))
        }
      } else {
        guard position > 0 else {
          return .check(sense(.noSense, 0, 4, information: left, endOfMedium: true))
        }
        position -= 1
        if tape[position] == .filemark {
          return .check(sense(.noSense, 0, 1, information: left, filemark: true))
        }
      }
    }
    return .good
  }

  private func spaceFilemarks(_ count: Int) -> FakeAnswer {
    for _ in 0..<abs(count) {
      repeat {
        guard count > 0 ? position < length : position > 0 else {
          return .check(sense(.blankCheck, 0, count > 0 ? 5 : 4))
        }
        position += count.signum()
      } while tape[count > 0 ? position - 1 : position] != .filemark
    }
    return .good
  }
}

extension FakeTarget {
  /// Serves `drive` on as many connections as come, until `stop`.
  func serve(_ drive: FakeDrive, connections: Int = 1) -> InitiatorSignal {
    play { target in
      for _ in 0..<connections {
        let connection = try await target.logIn()
        drive.disconnect = { await connection.exchange.close() }
        // A connection that was cut ends here, and the next one comes.
        try? await connection.serve { drive.execute($0, $1) }
        await connection.exchange.close()
      }
    }
  }

  /// The tape drive behind this target.
  func openTape() async throws -> RemoteTape {
    let url = try ISCSIURL("iscsi://127.0.0.1:\(address.port)/\(Self.name)/0")
    let unit = try await RemoteUnit.open(url, try options, ring: ring)
    return try await RemoteTape.open(unit)
  }
}

/// Runs `body` with the tape in a drive that `setUp` makes.
func withDrive(
  connections: Int = 1, _ setUp: @escaping @Sendable (FakeDrive) -> Void = { _ in },
  _ body: @escaping @Sendable (RemoteTape, FakeDrive) async throws -> Void
) async throws {
  try await withFakeTarget { target in
    target.policy.wanted.firstBurstLength = 8192
    let drive = FakeDrive()
    drive.log = target.log
    setUp(drive)
    let script = target.serve(drive, connections: connections)
    let tape = try await target.openTape()
    try await body(tape, drive)
    _ = await tape.close()
    drive.disconnect = {}
    await script.wait()
  }
}

extension RemoteTape {
  /// Writes a record.
  func write(_ bytes: [UInt8]) async throws -> DeviceStatus {
    var payload = try unit.ring.room(bytes.count)
    payload.overwrite(with: bytes)
    return await write(payload).status
  }

  /// Reads a record, up to `count` bytes of it.
  func read(
    _ count: Int, acceptsShorter: Bool = true
  ) async throws -> (DeviceStatus, [UInt8]) {
    let payload = try unit.ring.room(count)
    let completion = await read(into: payload, acceptsShorter: acceptsShorter)
    let status = completion.status
    return (status, Array(completion.takePayload().bytes().prefix(status.byteCount)))
  }
}
