public import Devices
public import ExtendedCopy
import SCSI
public import Transfer
public import Uring

/// Executes parameter lists on the devices of one ring: the copy manager of SPC-4 5.16.
///
/// Used on the ring's thread. One command at a time; a second one gets its own manager.
public final class CopyManager {
  let ring: Ring
  let limits: TransferLimits
  let pipeline: Pipeline

  /// A manager for one command.
  public init(ring: Ring, limits: TransferLimits, streaming: StreamingPolicy? = nil) {
    self.ring = ring
    self.limits = limits
    pipeline = Pipeline(ring: ring, limits: limits, streaming: streaming)
  }

  /// What was done so far.
  public var counters: TransferCounters { pipeline.counters }

  /// Ends the command at a border of records; `execute` returns after the last completion.
  public func cancel() { pipeline.cancel() }

  /// Executes `list`. `devices[i]` is what target descriptor `i` names, nil where nothing is
  /// reachable under that name. Everything written is durable when GOOD is returned.
  public func execute(_ list: ParameterList, devices: [CopyDevice?]) async -> CopyResult {
    preconditionFailure("being written")
  }
}
