public import SCSI

/// How an EXTENDED COPY command ended, with what RECEIVE COPY RESULTS would tell of it.
public struct ListReport: Sendable, Equatable {
  /// A device and where it stands.
  public struct Device: Sendable, Equatable {
    /// As it was named.
    public var device: DeviceSpecification
    /// Objects before the position of a tape; nil of a disk, or where the drive does not know.
    public var position: UInt64?
  }

  /// GOOD or CHECK CONDITION, unless the devices were busy or reserved.
  public var status: Status
  /// Why it ended early; nil with GOOD.
  public var sense: SenseData?
  /// The same in one line, for people; nil with GOOD.
  public var message: String?
  /// LIST IDENTIFIER, as far as the list could be read.
  public var listIdentifier: UInt32
  /// Segments that are done, from the first on.
  public var segmentsProcessed: Int
  /// Data held for the application client, the newest bytes.
  public var heldData: [UInt8]
  /// Whether older held data was discarded.
  public var heldDataDiscarded: Bool
  /// What was read, written and spent.
  public var counters: CopyCounters
  /// Seconds from the first byte to the last flush.
  public var seconds: Double
  /// The devices in the order in which they were given.
  public var devices: [Device]
  /// What the machine gave.
  public var arena: ArenaFacts
}
