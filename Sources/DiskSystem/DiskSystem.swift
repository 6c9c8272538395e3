import Uring

/// Disks on the network: one processor with its units, the targets that show them and the portals
/// where initiators log in.
///
/// Made once, started once, stopped once; everything here may be used from any thread. What happens
/// on the data path stays on the processor's thread.
public final class DiskSystem: Sendable {
  /// Something an operator may want to know: one line.
  public struct Event: Sendable, Equatable {
    /// How much it matters.
    public enum Kind: Sendable {
      /// Something is not as it should be.
      case warning
      /// Somebody came, left, or was refused.
      case event
      /// For those who want to know more.
      case detail
    }

    /// How much it matters.
    public var kind: Kind
    /// Without a line feed.
    public var text: String
  }

  enum State {
    case made
    case running(Processor, RunningSystem)
    case ended
  }

  /// Pinned memory where the configuration does not say.
  public static let defaultArenaByteCount = 64 << 20

  let configuration: Configuration
  let statePath: String
  let log: @Sendable (Event) -> Void
  let state = Lock(State.made)

  /// A disk system that is not started yet.
  ///
  /// - Parameters:
  ///   - state: the directory of what it keeps; made at the start where there is none.
  ///   - log: called on any thread, in the order of events.
  public init(
    _ configuration: Configuration, state: String, log: @escaping @Sendable (Event) -> Void
  ) {
    self.configuration = configuration
    statePath = state
    self.log = log
  }
}
