/// A queue of fixed capacity whose elements are named by their sequence number.
@safe
struct SlotQueue<Element: ~Copyable>: ~Copyable {
  private let slots: UnsafeMutablePointer<Element>
  let capacity: Int
  /// Sequence number of the first element.
  private(set) var first = 0
  /// Sequence number the next element gets.
  private(set) var end = 0

  init(capacity: Int) {
    unsafe slots = .allocate(capacity: capacity)
    self.capacity = capacity
  }

  deinit {
    for sequence in first..<end { unsafe (slots + sequence % capacity).deinitialize(count: 1) }
    unsafe slots.deallocate()
  }

  var count: Int { end - first }
  var isEmpty: Bool { first == end }
  var isFull: Bool { count == capacity }

  mutating func append(_ element: consuming Element) {
    precondition(!isFull, "callers look for room first")
    unsafe (slots + end % capacity).initialize(to: element)
    end += 1
  }

  mutating func removeFirst() -> Element {
    precondition(!isEmpty, "callers look for elements first")
    let element = unsafe (slots + first % capacity).move()
    first += 1
    return element
  }

  func withFirst<Result>(_ body: (borrowing Element) -> Result) -> Result {
    precondition(!isEmpty, "callers look for elements first")
    return unsafe body(slots[first % capacity])
  }

  mutating func with<Result>(_ sequence: Int, _ body: (inout Element) -> Result) -> Result {
    precondition(sequence >= first && sequence < end, "a sequence number names an element")
    return unsafe body(&slots[sequence % capacity])
  }
}
