/// Which processors may do a job: the bits of its bitmap table (922).
public struct CandidateRule: Sendable {
  /// How initiator ports are chosen.
  public enum Mode: Sendable {
    /// Those of the receiving target port's groups.
    case manual
    /// All.
    case automatic
  }

  /// An initiator port: the processor that owns it and the groups it is in.
  public struct InitiatorPort: Sendable {
    /// The processor's bit.
    public var processor: Int
    /// Port groups, by number.
    public var groups: Set<Int>

    /// Both said.
    public init(processor: Int, groups: Set<Int>) {
      self.processor = processor
      self.groups = groups
    }
  }

  /// Why nobody may do it.
  public enum Refusal: Error, Equatable, Sendable {
    /// Manual mode, and the target port is in no group.
    case targetPortWithoutGroup
    /// No initiator port is permitted.
    case noInitiatorPort
  }

  /// How initiator ports are chosen.
  public var mode: Mode
  /// Every initiator port of the disk system.
  public var initiatorPorts: [InitiatorPort]

  /// Both said.
  public init(mode: Mode, initiatorPorts: [InitiatorPort]) {
    self.mode = mode
    self.initiatorPorts = initiatorPorts
  }

  /// The bits for a command that came through a target port in `groups`.
  public func candidates(forTargetPortIn groups: Set<Int>) throws(Refusal) -> UInt64 {
    if mode == .manual, groups.isEmpty { throw .targetPortWithoutGroup }
    var bits: UInt64 = 0
    for port in initiatorPorts where (0..<64).contains(port.processor) {
      if mode == .automatic || !port.groups.isDisjoint(with: groups) {
        bits |= 1 << UInt64(port.processor)
      }
    }
    guard bits != 0 else { throw .noInitiatorPort }
    return bits
  }
}
