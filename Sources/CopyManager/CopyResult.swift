public import Devices
public import SCSI
public import Transfer

/// A device that a target descriptor names.
public enum CopyDevice {
  /// A disk.
  case block(BlockDevice)
  /// A tape.
  case stream(StreamDevice)

  /// What to call it in messages.
  public var name: String {
    switch self {
    case .block(let device): device.name
    case .stream(let device): device.name
    }
  }
}

/// How an EXTENDED COPY command ended (SPC-4 5.16.7), with what RECEIVE COPY RESULTS tells later.
public struct CopyResult: Equatable, Sendable {
  /// GOOD or CHECK CONDITION, unless the devices were busy or reserved.
  public var status: Status
  /// Why it ended early; nil with GOOD.
  public var sense: SenseData?
  /// Segments that are done, from the first on.
  public var segmentsProcessed: Int
  /// Data held for the application client, the newest bytes.
  public var heldData: [UInt8]
  /// HDD: held data was discarded because there was too much of it.
  public var heldDataDiscarded: Bool
  /// What was read, written and copied.
  public var counters: TransferCounters

  /// All of it said.
  public init(
    status: Status, sense: SenseData?, segmentsProcessed: Int, heldData: [UInt8],
    heldDataDiscarded: Bool, counters: TransferCounters
  ) {
    self.status = status
    self.sense = sense
    self.segmentsProcessed = segmentsProcessed
    self.heldData = heldData
    self.heldDataDiscarded = heldDataDiscarded
    self.counters = counters
  }
}
