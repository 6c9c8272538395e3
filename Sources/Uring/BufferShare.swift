/// A part of an arena that one kind of work may take, so that another kind is never starved: a budget
/// of bytes with a queue.
///
/// Used on the ring's thread. Whoever asks gets all bytes at once or waits in turn, so that nobody holds
/// a part of what it needs while it waits for the rest. The share counts; the bytes come from the arena,
/// in which the sum of all shares fits.
public final class BufferShare {
  private struct Request {
    var byteCount: Int
    var client: BufferClient
    var tag: UInt64
  }

  /// Bytes of the share.
  public let byteCount: Int
  private let arena: Arena
  private let gathers: Bool
  private var taken = 0
  private var waiting: [Request] = []
  private var first = 0
  private var isServing = false

  /// A share of `byteCount` bytes of `arena`.
  ///
  /// - Parameter gathers: whether bytes may come in several ranges where the arena has no such gap any
  ///   more. Without, a request for many bytes may wait long.
  public init(of arena: Arena, byteCount: Int, gathers: Bool = false) {
    self.gathers = gathers
    self.arena = arena
    self.byteCount = byteCount
  }

  /// Bytes that nobody holds.
  public var freeByteCount: Int { byteCount - taken }

  /// Requests that wait.
  public var waitingCount: Int { waiting.count - first }

  /// Asks for `byteCount` bytes, contiguous unless the share gathers, from 1 to those of the share. The client gets them in this
  /// call where they are free and nobody waits, else later.
  public func take(_ byteCount: Int, for client: BufferClient, tag: UInt64) {
    precondition(byteCount > 0 && byteCount <= self.byteCount, "a request fits the share")
    if waitingCount == 0, let payload = allocate(byteCount) {
      client.receive(payload, tag: tag)
      return
    }
    waiting.append(Request(byteCount: byteCount, client: client, tag: tag))
  }

  /// So many contiguous bytes at once, or nil where they are not free or somebody waits.
  public func takeNow(_ byteCount: Int) -> Payload? {
    precondition(byteCount > 0 && byteCount <= self.byteCount, "a request fits the share")
    return waitingCount == 0 ? allocate(byteCount) : nil
  }

  /// Withdraws a request that still waits; whether it did.
  public func withdraw(_ client: BufferClient, tag: UInt64) -> Bool {
    guard
      let index = waiting[first...].firstIndex(where: { $0.client === client && $0.tag == tag })
    else { return false }
    waiting.remove(at: index)
    serve()
    return true
  }

  /// Gives back the count of bytes that were taken; the payload itself was dropped before.
  public func giveBack(_ byteCount: Int) {
    precondition(byteCount <= taken, "what is given back was taken")
    taken -= byteCount
    serve()
  }

  /// Looks whether waiting requests can be served: the arena may have got room from elsewhere.
  public func retry() {
    if waitingCount > 0 { serve() }
  }

  private func serve() {
    if isServing { return }
    isServing = true
    defer { isServing = false }
    while first < waiting.count, let payload = allocate(waiting[first].byteCount) {
      let request = waiting[first]
      first += 1
      if first == waiting.count {
        waiting.removeAll(keepingCapacity: true)
        first = 0
      }
      request.client.receive(payload, tag: request.tag)
    }
    if first > 64 {
      waiting.removeFirst(first)
      first = 0
    }
  }

  private func allocate(_ byteCount: Int) -> Payload? {
    // Many short payloads take slices rather than bytes: half of them are left to cutting.
    guard byteCount <= freeByteCount, arena.freeSliceCount > arena.sliceCapacity / 2 else {
      return nil
    }
    if let payload = arena.allocate(byteCount) {
      taken += byteCount
      return payload
    }
    guard gathers, let payload = gathered(byteCount) else { return nil }
    taken += byteCount
    return payload
  }

  /// The same in pieces, the largest first.
  private func gathered(_ byteCount: Int) -> Payload? {
    var whole = arena.empty()
    var piece = Self.largestPiece
    while whole.byteCount < byteCount {
      if let part = arena.allocate(min(byteCount - whole.byteCount, piece)) {
        whole.append(part)
      } else if piece > Self.smallestPiece {
        piece /= 2
      } else {
        return nil
      }
    }
    guard whole.rangeCount <= Arena.mostRanges else { return nil }
    return whole
  }

  private static let largestPiece = 1 << 20, smallestPiece = 64 << 10
}

/// Receives the bytes it asked a share for.
open class BufferClient {
  /// For subclasses.
  public init() {}

  /// Called once for each request. The bytes count against the share until `giveBack`.
  open func receive(_ payload: consuming Payload, tag: UInt64) {
    preconditionFailure("a client takes the bytes it asked for")
  }
}

extension BufferShare {
  /// The same for `async` code.
  public func take(_ byteCount: Int) async -> Payload {
    let waiter = BufferWaiter()
    return await waiter.wait(for: byteCount, from: self)
  }
}

@safe
private final class BufferWaiter: BufferClient {
  private var payload: Payload?
  private var continuation: UnsafeContinuation<Void, Never>?

  override func receive(_ payload: consuming Payload, tag: UInt64) {
    self.payload = consume payload
    if let continuation = unsafe continuation { unsafe continuation.resume() }
  }

  func wait(for byteCount: Int, from share: BufferShare) async -> Payload {
    share.take(byteCount, for: self, tag: 0)
    if payload == nil {
      unsafe await withUnsafeContinuation { unsafe continuation = $0 }
    }
    guard let taken = payload.take() else { preconditionFailure("a waiter is resumed with bytes") }
    return taken
  }
}
