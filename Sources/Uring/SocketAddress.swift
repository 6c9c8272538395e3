import CUring
import Glibc

/// Where a socket is: an IPv4 or IPv6 address and a port.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  /// The bytes of the address: 4, or 16 for IPv6.
  public let address: [UInt8]
  /// The port.
  public let port: UInt16
  /// The interface of a link-local IPv6 address; 0 where it does not matter.
  public let scope: UInt32

  private init(address: [UInt8], port: UInt16, scope: UInt32) {
    self.address = address
    self.port = port
    self.scope = scope
  }

  /// Whether it is IPv6.
  public var isIPv6: Bool { address.count == 16 }

  /// Whether it is this machine itself: bytes sent there are always copied.
  public var isLoopback: Bool {
    if !isIPv6 { return address.first == 127 }
    let mapped =
      address.prefix(10).allSatisfy { $0 == 0 } && address[10] == 255 && address[11] == 255
    return mapped
      ? address[12] == 127 : address.dropLast().allSatisfy { $0 == 0 } && address[15] == 1
  }

  /// `1.2.3.4:3260` or `[::1]:3260`.
  public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// The address without the port, and without brackets.
  public var host: String {
    let text = unsafe [CChar](unsafeUninitializedCapacity: Int(INET6_ADDRSTRLEN)) { text, count in
      unsafe address.withUnsafeBytes { bytes in
        _ = unsafe inet_ntop(
          isIPv6 ? AF_INET6 : AF_INET, bytes.baseAddress, text.baseAddress, socklen_t(text.count))
      }
      count = text.count
    }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The addresses of a host name, or of an address in digits. May take seconds: not for a ring's
  /// thread, which has `Ring.resolve`.
  ///
  /// - Parameter isPassive: to listen on; an empty host is then every address.
  public static func resolve(
    host: String, port: UInt16, isPassive: Bool = false
  ) throws(NetworkError) -> [SocketAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = isPassive ? AI_PASSIVE | AI_ADDRCONFIG : AI_ADDRCONFIG
    if host.allSatisfy({ $0.isHexDigit || $0 == "." || $0 == ":" || $0 == "%" }) {
      unsafe hints.ai_flags = isPassive ? AI_PASSIVE : 0
    }
    var list: UnsafeMutablePointer<addrinfo>?
    let result = unsafe getaddrinfo(host.isEmpty ? nil : host, String(port), &hints, &list)
    guard result == 0 else {
      throw .unknownHost(host, reason: unsafe String(cString: gai_strerror(result)))
    }
    defer { unsafe freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
      if let address = unsafe SocketAddress(entry.pointee.ai_addr), !found.contains(address) {
        found.append(address)
      }
      unsafe next = entry.pointee.ai_next
    }
    return found
  }

  init?(_ pointer: UnsafePointer<sockaddr>?) {
    guard let pointer = unsafe pointer else { return nil }
    switch Int32(unsafe pointer.pointee.sa_family) {
    case AF_INET:
      let value = unsafe UnsafeRawPointer(pointer).loadUnaligned(as: sockaddr_in.self)
      let host = UInt32(bigEndian: value.sin_addr.s_addr)
      self.init(
        address: (0..<4).map { UInt8(truncatingIfNeeded: host >> (24 - 8 * UInt32($0))) },
        port: UInt16(bigEndian: value.sin_port), scope: 0)
    case AF_INET6:
      let value = unsafe UnsafeRawPointer(pointer).loadUnaligned(as: sockaddr_in6.self)
      var address = value.sin6_addr
      self.init(
        address: unsafe withUnsafeBytes(of: &address) { unsafe Array($0) },
        port: UInt16(bigEndian: value.sin6_port), scope: value.sin6_scope_id)
    default: return nil
    }
  }

  /// Fills the kernel's form and returns its length.
  func store(in storage: UnsafeMutablePointer<sockaddr_storage>) -> socklen_t {
    unsafe storage.initialize(to: sockaddr_storage())
    let raw = UnsafeMutableRawPointer(storage)
    if isIPv6 {
      var value = sockaddr_in6()
      value.sin6_family = sa_family_t(AF_INET6)
      value.sin6_port = port.bigEndian
      value.sin6_scope_id = scope
      unsafe withUnsafeMutableBytes(of: &value.sin6_addr) { unsafe $0.copyBytes(from: address) }
      unsafe raw.storeBytes(of: value, as: sockaddr_in6.self)
      return socklen_t(MemoryLayout<sockaddr_in6>.size)
    }
    var value = sockaddr_in()
    value.sin_family = sa_family_t(AF_INET)
    value.sin_port = port.bigEndian
    unsafe withUnsafeMutableBytes(of: &value.sin_addr) { unsafe $0.copyBytes(from: address) }
    unsafe raw.storeBytes(of: value, as: sockaddr_in.self)
    return socklen_t(MemoryLayout<sockaddr_in>.size)
  }
}

/// Why there is no connection or no listening socket.
public enum NetworkError: Error, Equatable, Sendable {
  /// The name has no address.
  case unknownHost(String, reason: String)
  /// A call failed for an address.
  case failed(call: String, address: SocketAddress, errno: Int32)
}
