/// Who uses which drive, and which sessions a port has: a drive belongs to one copy at a time, while
/// disks are shared.
///
/// Used on the ring's thread.
public final class DeviceClaims {
  /// A logical unit of another system.
  public struct Key: Hashable {
    let target: String
    let logicalUnit: UInt16

    /// That of a device.
    public init(_ device: FabricDevice) {
      target = "\(device.targetName)"
      logicalUnit = device.logicalUnit
    }
  }

  private var claimed: Set<Key> = []
  private var sessions: [PortName: Set<UInt16>] = [:]

  /// Nothing claimed.
  public init() {}

  /// Whether a copy has it.
  public func isClaimed(_ key: Key) -> Bool { claimed.contains(key) }

  /// Takes a drive; whether it was free.
  public func claim(_ key: Key) -> Bool { claimed.insert(key).inserted }

  /// Gives it back.
  public func release(_ key: Key) { claimed.remove(key) }

  /// A number that no other session of the port has: with the same ISID one session would end the
  /// other (RFC 7143 6.3.5).
  func takeSession(of port: PortName) -> UInt16? {
    let taken = sessions[port] ?? []
    guard let free = (0...UInt16.max).first(where: { !taken.contains($0) }) else { return nil }
    sessions[port, default: []].insert(free)
    return free
  }

  /// The session is over.
  func giveBack(session number: UInt16, of port: PortName) { sessions[port]?.remove(number) }
}
