public import Devices
public import SCSI

extension RemoteUnit {
  /// Longest VPD page that is asked for, in bytes.
  private static let pageByteCountMaximum: UInt16 = 4096

  /// The designators of VPD page 83h that name the logical unit; none of a device without that page.
  public func designators() async -> [Designator] {
    let (outcome, data) = await perform(
      .inquiry(page: 0x83, allocationLength: Self.pageByteCountMaximum),
      dataIn: Int(Self.pageByteCountMaximum))
    guard outcome.isGood, data.count >= 4 else { return [] }
    let end = min(data.count, 4 + (Int(data[2]) << 8 | Int(data[3])))
    var found: [Designator] = []
    var at = 4
    while at + 4 <= end {
      let length = Int(data[at + 3])
      guard at + 4 + length <= end else { break }
      let designator = Designator(
        codeSet: data[at], association: data[at + 1] >> 4, type: data[at + 1],
        bytes: Array(data[at + 4..<at + 4 + length]))
      if designator.association == 0 { found.append(designator) }
      at += 4 + length
    }
    return found
  }

  /// Asks whether the logical unit is ready, and takes the unit attentions that are due.
  ///
  /// - Returns: why it is not.
  public func readiness() async throws(InitiatorError) -> Condition? {
    guard let outcome = await becomeReady() else { return nil }
    if let failure = outcome.failure { throw failure }
    return outcome.condition
  }
}
