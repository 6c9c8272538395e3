/// Bytes in pinned memory, owned: an ordered list of slices of an arena.
///
/// Whoever holds a payload may read or overwrite its bytes; an operation consumes it, and the
/// completion gives it back. Cutting and joining move slices, never bytes. Dropping a payload frees
/// what no other payload shows. A payload never outlives its arena, and stays on its processor.
@safe
public struct Payload: ~Copyable {
  let store: UnsafeMutablePointer<ArenaStore>
  var head: UInt32
  var tail: UInt32
  /// Number of slices.
  public private(set) var sliceCount: Int
  /// Number of bytes.
  public private(set) var byteCount: Int

  init(store: UnsafeMutablePointer<ArenaStore>) {
    unsafe self.store = store
    head = noIndex
    tail = noIndex
    sliceCount = 0
    byteCount = 0
  }

  init(store: UnsafeMutablePointer<ArenaStore>, slice: UInt32) {
    unsafe self.store = store
    head = slice
    tail = slice
    sliceCount = 1
    byteCount = unsafe store.pointee.slice(slice).length
  }

  init(parked: Parked) {
    unsafe store = parked.store
    unsafe head = parked.head
    unsafe tail = parked.tail
    unsafe sliceCount = parked.sliceCount
    unsafe byteCount = parked.byteCount
  }

  deinit {
    unsafe Self.drop(from: head, in: store)
  }

  private static func drop(from head: UInt32, in store: UnsafeMutablePointer<ArenaStore>) {
    var index = head
    while index != noIndex {
      let next = unsafe store.pointee.slice(index).next
      unsafe store.pointee.dropSlice(index)
      index = next
    }
  }

  /// Whether there are no bytes.
  public var isEmpty: Bool { byteCount == 0 }

  /// A payload without bytes, of the same arena.
  public func empty() -> Payload {
    unsafe Payload(store: store)
  }

  /// Adds the bytes of `other` behind these. Cost: constant.
  public mutating func append(_ other: consuming Payload) {
    let parked = unsafe other.park()
    precondition(unsafe parked.store == store, "payloads of one arena are joined")
    guard unsafe parked.head != noIndex else { return }
    if head == noIndex {
      unsafe head = parked.head
    } else {
      unsafe store.pointee.link(tail, to: parked.head)
    }
    unsafe tail = parked.tail
    unsafe sliceCount += parked.sliceCount
    unsafe byteCount += parked.byteCount
  }

  /// Cuts off and returns the first `count` bytes, which must be there.
  /// Cost: linear in the number of slices that are cut off.
  public mutating func removeFirst(_ count: Int) -> Payload {
    precondition(count >= 0 && count <= byteCount, "a cut lies inside the payload")
    var first = unsafe Payload(store: store)
    var wanted = count
    while wanted > 0 {
      let index = head
      let slice = unsafe store.pointee.slice(index)
      if slice.length <= wanted {
        head = slice.next
        if head == noIndex { tail = noIndex }
        sliceCount -= 1
        unsafe store.pointee.link(index, to: noIndex)
        first.adopt(index, slice.length)
        wanted -= slice.length
      } else {
        let part = unsafe store.pointee.addSlice(
          span: slice.span, start: slice.start, length: wanted)
        unsafe store.pointee.advance(index, by: wanted)
        first.adopt(part, wanted)
        wanted = 0
      }
    }
    byteCount -= count
    return first
  }

  /// Keeps only the first `count` bytes.
  public mutating func truncate(to count: Int) {
    let kept = removeFirst(count)
    self = kept
  }

  /// A second payload that shows the first `count` bytes too; both may be read, neither changed.
  public func sharing(_ count: Int) -> Payload {
    precondition(count >= 0 && count <= byteCount, "what is shared lies inside the payload")
    var shared = unsafe Payload(store: store)
    var wanted = count
    var index = head
    while wanted > 0 {
      let slice = unsafe store.pointee.slice(index)
      let length = min(wanted, slice.length)
      let copy = unsafe store.pointee.addSlice(
        span: slice.span, start: slice.start, length: length)
      shared.adopt(copy, length)
      wanted -= length
      index = slice.next
    }
    return shared
  }

  /// Bytes of the first slice, which is there.
  var firstSliceByteCount: Int { unsafe store.pointee.slice(head).length }

  /// `append` of one slice, which is merged with the last one where they touch.
  mutating func appendJoining(_ other: consuming Payload) {
    if tail != noIndex, other.sliceCount == 1, unsafe other.store == store,
      unsafe store.pointee.extend(tail, by: other.head)
    {
      byteCount += other.byteCount
      return
    }
    append(other)
  }

  private mutating func adopt(_ index: UInt32, _ length: Int) {
    if head == noIndex {
      head = index
    } else {
      unsafe store.pointee.link(tail, to: index)
    }
    tail = index
    sliceCount += 1
    byteCount += length
  }

  // MARK: In the hands of the kernel

  /// A payload taken apart, for the tables of the ring and of devices.
  @unsafe
  struct Parked {
    var store: UnsafeMutablePointer<ArenaStore>
    var head: UInt32
    var tail: UInt32
    var sliceCount: Int
    var byteCount: Int
  }

  consuming func park() -> Parked {
    let parked = unsafe Parked(
      store: store, head: head, tail: tail, sliceCount: sliceCount, byteCount: byteCount)
    discard self
    return unsafe parked
  }
}
