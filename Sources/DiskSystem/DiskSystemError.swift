public import Uring

/// Why a disk system does not start. Its description is one line that names the thing and the way
/// out.
public enum DiskSystemError: Error, Sendable, CustomStringConvertible {
  /// No io_uring, or no memory for it.
  case unavailable(RingError)
  /// More pinned memory than the machine can give.
  case memory(String)
  /// A portal that cannot be listened on.
  case portal(NetworkError)
  /// The state directory, or a file in it.
  case state(path: String, reason: String)
  /// Another process uses the state directory; its number where it is known.
  case stateInUse(path: String, process: String)
  /// A unit that cannot be opened.
  case unit(name: String, reason: String)

  /// The cause and the way out.
  public var description: String {
    switch self {
    case .unavailable(let error): error.description
    case .memory(let reason): reason
    case .portal(.unknownHost(let host, let reason)):
      "\(host): \(reason); write the address of a portal in digits"
    case .portal(.failed(let call, let address, let number)):
      "\(address): \(call) failed: \(SystemError(errno: number).description); "
        + "end the program that listens there, or choose another address with --listen"
    case .state(let path, let reason): "\(path): \(reason)"
    case .stateInUse(let path, let process):
      "\(path): "
        + (process.isEmpty ? "another process" : "process \(process)")
        + " serves from this state directory; end it, or name another --state"
    case .unit(let name, let reason): "unit \(name): \(reason)"
    }
  }
}
