import Uring

/// RELATIVE TARGET PORT IDENTIFIERs, by which registrations that outlive a restart name their port
/// (SPC-4 5.13.1): a port keeps its own when others are added, removed or put in another order, and
/// none is ever given to a second port.
struct PortIdentifiers: Equatable {
  /// A target at a portal.
  struct Port: Hashable {
    var target: String
    /// As it was configured; the second of two that are to take any free port ends in #2.
    var portal: String
  }

  private var identifiers: [Port: UInt16] = [:]
  private var last: UInt16 = 0

  /// No port has one.
  init() {}

  /// What `text` gave; nil where it never did.
  init?(_ text: [UInt8]) {
    var taken: Set<UInt16> = []
    for line in text.split(separator: 0x0A) {
      let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
      guard words.count == 3, let identifier = UInt16(words[0]), identifier > 0,
        taken.insert(identifier).inserted,
        identifiers.updateValue(identifier, forKey: Port(target: words[1], portal: words[2])) == nil
      else { return nil }
      last = max(last, identifier)
    }
    guard text.isEmpty || text.last == 0x0A else { return nil }
  }

  /// A line for each port.
  var text: [UInt8] {
    var text = ""
    for (port, identifier) in identifiers.sorted(by: { $0.value < $1.value }) {
      text += "\(identifier) \(port.target) \(port.portal)\n"
    }
    return Array(text.utf8)
  }

  /// The identifier of a port, which gets the next one where it has none yet; nil where all are given.
  mutating func identifier(of port: Port) -> UInt16? {
    if let known = identifiers[port] { return known }
    guard last < .max else { return nil }
    last += 1
    identifiers[port] = last
    return last
  }

  /// Names of portals, each a different one.
  static func names(of portals: [SocketAddress]) -> [String] {
    var counts: [String: Int] = [:]
    return portals.map { portal in
      let name = portal.description
      counts[name, default: 0] += 1
      let count = counts[name] ?? 1
      return count == 1 ? name : "\(name)#\(count)"
    }
  }
}

extension StateDirectory {
  /// 65535 lines with names of the greatest length.
  private static let portsByteCountMaximum = 20 << 20

  /// The identifiers of the ports of each target, in the order of the portals; those that had none are
  /// remembered when this returns. Blocks.
  func portIdentifiers(
    targets: [String], portals: [SocketAddress]
  ) throws(DiskSystemError) -> [[UInt16]] {
    let file = "\(path)/ports"
    let text = try Self.read(file, Self.portsByteCountMaximum, files) ?? []
    guard let before = PortIdentifiers(text) else {
      throw .state(
        path: file,
        reason: "is damaged; restore it from a backup, or remove it where no initiator counts on "
          + "its reservations")
    }
    var ports = before
    var found: [[UInt16]] = []
    let names = PortIdentifiers.names(of: portals)
    for target in targets {
      var ofTarget: [UInt16] = []
      for name in names {
        guard let identifier = ports.identifier(of: .init(target: target, portal: name)) else {
          throw .state(
            path: file,
            reason:
              "all \(UInt16.max) identifiers of ports are given; remove it where no initiator "
              + "counts on its reservations")
        }
        ofTarget.append(identifier)
      }
      found.append(ofTarget)
    }
    if ports != before { try Self.replace(file, ports.text, files) }
    return found
  }
}
