/// A job of the region: its slot, and which of the jobs that the slot has served.
public struct JobID: Hashable, Sendable, CustomStringConvertible {
  let slot: UInt32
  let generation: UInt32

  /// Both in one number that is never 0.
  public var number: UInt64 { UInt64(generation) << 32 | UInt64(slot) }

  init(slot: Int, generation: UInt32) {
    self.slot = UInt32(truncatingIfNeeded: slot)
    self.generation = generation
  }

  /// The job that `number` names.
  public init(number: UInt64) {
    slot = UInt32(truncatingIfNeeded: number)
    generation = UInt32(truncatingIfNeeded: number >> 32)
  }

  /// As in `3.17`: slot and generation.
  public var description: String { "\(slot).\(generation)" }
}

/// A processor that has joined: its bit in every bitmap table, and an epoch that no other has.
public struct ProcessorID: Hashable, Sendable {
  /// Its entry and its bit, from 0.
  public let index: Int
  /// Never given twice by one region.
  public let epoch: UInt64

  var bit: UInt64 { 1 << UInt64(index) }
}

/// Where a job stands.
public enum JobPhase: UInt32, Sendable {
  /// The slot is free.
  case free
  /// Its list is being stored (920).
  case received
  /// Its bitmap table is stored and nobody has exclusive control (930, 1010).
  case posted
  /// A processor has seized exclusive control and decides (1012–1016).
  case claimed
  /// The copy job runs and looks for the devices (1030–1036).
  case searching
  /// Data move (1040).
  case transferring
  /// The result waits for the target job (1044); the bitmap table is gone (1042).
  case finished
  /// The target job has taken the result (942).
  case reported

  /// A processor has exclusive control.
  var isHeld: Bool { self == .claimed || self == .searching || self == .transferring }
}

/// How a job ended.
public enum JobOutcome: UInt32, Sendable {
  /// It has not.
  case none
  /// The copy job ran to its end; the status says how.
  case completed
  /// No processor is left that could do it (1018, 940).
  case noProcessor
  /// It was told to end, and did, at the border the result names.
  case aborted
  /// Its processor died after the transfer had begun. Data behind the border may have moved.
  case lostProcessor
  /// Its entry in the region was damaged.
  case damaged
}

/// Why a job was told to end.
public enum AbortReason: UInt32, Sendable {
  /// It was not.
  case none
  /// By the application client or a person.
  case requested
  /// The processor that received the command is gone.
  case receiverGone
}

/// Why a processor, or one of its ports, did not do a job.
public enum SearchReason: UInt32, Sendable {
  /// The region says something that this version does not know.
  case unknown
  /// The device's port does not answer.
  case devicePortNotAvailable
  /// The initiator port has no connection with the device's SAN.
  case noConnection
  /// The device is busy or reserved by somebody else.
  case portBusy
  /// Another job of this disk system holds the device.
  case deviceHeld
  /// Groups do not permit it.
  case notPermitted
  /// The processor could not start for now: no buffers, too many jobs, or it is being emptied.
  case cannotStart
  /// The processor died.
  case processorDied
  /// The processor was silent for too long.
  case processorSilent
  /// The processor left.
  case processorLeft
  /// The processor was not there when the job was posted.
  case processorAbsent
}

/// One line of "why not".
public struct SearchNote: Equatable, Sendable {
  /// The port that stands for the processor as a whole.
  public static let wholeProcessor: UInt16 = .max

  /// Whose note it is.
  public var processor: Int
  /// Which of its ports, in its own numbering.
  public var port: UInt16
  /// Why.
  public var reason: SearchReason
  /// What the reason needs: an errno, or sense key and additional sense.
  public var detail: UInt64

  /// All of it said.
  public init(processor: Int, port: UInt16, reason: SearchReason, detail: UInt64) {
    self.processor = processor
    self.port = port
    self.reason = reason
    self.detail = detail
  }
}
