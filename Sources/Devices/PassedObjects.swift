import SCSI

/// Where a tape stands, counted from its beginning, for drives that have no READ POSITION (SSC-3 7.7).
///
/// A drive that has told its position once is believed only when it tells.
struct PassedObjects: Equatable, Sendable {
  /// Records and filemarks before the position; nil where nobody knows.
  private(set) var count: UInt64?
  /// Whether the drive has ever told.
  private(set) var driveTells = false

  /// Objects spaced over by one command: COUNT of SPACE(6) is a signed field of 24 bits.
  static let furthestStep: UInt64 = 0x7F_FFFF

  init(isAtBeginning: Bool) { count = isAtBeginning ? 0 : nil }

  /// The drive said so.
  mutating func told(_ object: UInt64) {
    driveTells = true
    count = object
  }

  /// A command that positions ended well.
  mutating func stand(at object: UInt64) { count = object }

  /// Objects were passed towards the end, or back where `step` is negative.
  mutating func pass(_ step: Int) {
    guard let here = count else { return }
    let (there, overflow) = here.addingReportingOverflow(UInt64(bitPattern: Int64(step)))
    // Adding a negative step overflows just when the result is a position.
    count = overflow == (step < 0) ? there : nil
  }

  /// After what may have moved the tape by no one knows how much.
  mutating func lose() { count = nil }

  /// After one record was asked for: it, or the filemark in its place, was passed.
  mutating func read(_ status: DeviceStatus) {
    guard let condition = status.condition else { return pass(1) }
    if condition.filemark || condition.incorrectLength { return pass(1) }
    if condition.key != .blankCheck { lose() }
  }
}
