import Uring

/// The operations a device has in flight: a table of fixed size, without allocation.
///
/// It is as large as the ring's own table, so that the ring's limit is met first.
struct OperationTable<Operation: ~Copyable>: ~Copyable {
  private var operations: InlineArray<2048, Operation?>
  private var nextFree: InlineArray<2048, Int16>
  private var firstFree: Int16 = 0
  /// Operations in the table.
  private(set) var count = 0

  init() {
    precondition(Ring.capacityMaximum <= 2048, "the table holds what the ring holds")
    operations = InlineArray { _ in nil }
    nextFree = InlineArray { index in index + 1 < 2048 ? Int16(index + 1) : -1 }
  }

  /// Puts an operation in and returns its place.
  mutating func insert(_ operation: consuming Operation) -> Int {
    precondition(firstFree >= 0, "callers keep to the ring's capacity")
    let index = Int(firstFree)
    firstFree = nextFree[index]
    operations[index] = consume operation
    count += 1
    return index
  }

  /// Takes an operation out.
  mutating func remove(at index: Int) -> Operation {
    guard let operation = operations[index].take() else {
      preconditionFailure("an operation completes once")
    }
    nextFree[index] = firstFree
    firstFree = Int16(index)
    count -= 1
    return operation
  }
}
