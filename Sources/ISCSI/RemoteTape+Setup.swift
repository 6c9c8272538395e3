import Devices
import ISCSIProtocol
import SAM
import SCSI
import Uring

extension RemoteTape {
  /// What the drive says of itself.
  struct Setup {
    var isProtected = false
    var recordLengthMaximum = RemoteTape.recordLengthMaximum
    /// Where it stands, of a drive that tells.
    var object: UInt64?
  }

  /// Makes the logical unit, which is a tape drive, usable: variable-block mode, and the tape at its
  /// beginning. The tape owns it, also where this throws.
  ///
  /// - Parameter rewinds: false leaves the tape where its user has put it.
  /// - Throws: what keeps it from being used, with the way out.
  public static func open(
    _ unit: RemoteUnit, readOnly: Bool = false, rewinds: Bool = true
  ) async throws(InitiatorError) -> RemoteTape {
    do throws(InitiatorError) {
      if let outcome = await unit.becomeReady() { throw notReady(unit, outcome) }
      // Whatever was changed before is not what is read or written here.
      _ = unit.takeMediumChange()
      var found = Setup()
      found.isProtected = try await modeSense(unit).map { $0[2] & 0x80 != 0 } ?? false
      _ = await setVariableLength(unit)
      let (limits, data) = await unit.perform(.readBlockLimits, dataIn: 6)
      if limits.isGood, let most = try? ByteReader(data.span).uint24(at: 1), most > 0 {
        found.recordLengthMaximum = min(Int(most), recordLengthMaximum)
      }
      found.object = await askedObject(unit)
      let tape = RemoteTape(unit, found, readOnly: readOnly)
      if rewinds, found.object != 0 {
        if let condition = (await tape.rewind()).condition {
          throw .unusable(
            target: unit.name, reason: "rewinding: \(condition); look after the drive")
        }
      }
      return tape
    } catch {
      await unit.session.close()
      throw error
    }
  }

  private static func notReady(
    _ unit: RemoteUnit, _ outcome: InitiatorOutcome
  ) -> InitiatorError {
    if let failure = outcome.failure { return failure }
    if outcome.condition?.additional.code == 0x3A {
      return .noMedium(target: unit.name)
    }
    let why = outcome.condition.map { "\($0)" } ?? "no answer"
    return .unusable(target: unit.name, reason: "the drive is not ready: \(why); look after it")
  }

  /// Mode parameter header and block descriptor; nil where the drive has no MODE SENSE.
  private static func modeSense(_ unit: RemoteUnit) async throws(InitiatorError) -> [UInt8]? {
    let (outcome, data) = await unit.perform(
      .modeSense(page: 0, allocationLength: 252), dataIn: 252)
    if let failure = outcome.failure { throw failure }
    return outcome.isGood && data.count >= 4 ? data : nil
  }

  /// Block length 0 and buffered writes, by MODE SELECT(6). Drives that refuse it take records of
  /// variable length all the same: the FIXED bit of each command decides.
  static func setVariableLength(_ unit: RemoteUnit) async -> InitiatorOutcome? {
    guard let mode = try? await modeSense(unit), mode[3] >= 8, mode.count >= 12 else { return nil }
    let length = mode[9...11].reduce(0) { $0 << 8 | Int($1) }
    if length == 0, mode[2] & 0x70 != 0 { return nil }
    let parameters: [UInt8] = [0, 0, 0x10, 8, mode[4], 0, 0, 0, 0, 0, 0, 0]
    return await unit.perform(
      .modeSelect(byteCount: UInt8(parameters.count)), dataOut: parameters
    ).0
  }

  /// FIRST LOGICAL OBJECT LOCATION of READ POSITION; nil where the drive does not know, or there is no
  /// such command. SSC-4 7.7.2.
  static func askedObject(_ unit: RemoteUnit) async -> UInt64? {
    let (outcome, data) = await unit.perform(.readPosition, dataIn: 20)
    guard outcome.isGood, data.count >= 20 else { return nil }
    // LOLU: the location fields are not valid.
    guard data[0] & 0x04 == 0 else { return nil }
    return (try? ByteReader(data.span).uint32(at: 4)).map { UInt64($0) }
  }
}
