import Uring

extension Cartridge {
  /// A read or write between its submission and its completion.
  struct Operation: ~Copyable {
    enum State {
      /// Until the overwritten objects are durably gone.
      case waiting
      case running
      case ended
    }

    let client: ClientReference
    let tag: UInt64
    let isWrite: Bool
    var state = State.ended
    /// All of it while it is not running, otherwise what is not transferred.
    var payload: Payload?
    /// The first object, and how many records are transferred.
    var object: UInt64 = 0
    var recordCount = 0
    var recordLength = 0
    /// Bytes to transfer: of the last record maybe not all.
    var byteCount = 0
    var dataOffset: UInt64 = 0
    /// How many records were asked for, or bytes where it was one.
    let asked: Int
    let askedRecordCount: Int
    let payloadByteCount: Int
    /// How it ends unless something goes wrong, and where it leaves the tape.
    var status = DeviceStatus.good()
    var position: UInt64 = 0

    init(
      _ client: DeviceClient, tag: UInt64, _ payload: consuming Payload, recordCount: Int,
      isWrite: Bool
    ) {
      self.client = ClientReference(client)
      self.tag = tag
      self.isWrite = isWrite
      askedRecordCount = recordCount
      payloadByteCount = payload.byteCount
      asked = recordCount == 1 ? payload.byteCount : recordCount
      self.payload = consume payload
    }

    /// INFORMATION where `records` whole ones were transferred.
    func residual(behind records: Int) -> Int {
      askedRecordCount == 1 ? (records == 0 ? asked : 0) : asked - records
    }
  }

  /// Operations in the order of their submission.
  struct OperationQueue: ~Copyable {
    private var places: InlineArray<256, Operation?> = InlineArray { _ in nil }
    private(set) var first = 0
    private(set) var count = 0
    /// Operations whose transfer has not ended.
    var running = 0
    /// One of them ends with a condition: later ones are aborted.
    var isFailing = false
    /// The first of them wait until the overwritten objects are durably gone.
    var isTruncating = false

    var isEmpty: Bool { count == 0 }

    /// Adds one behind the others and returns its place.
    mutating func append(_ operation: consuming Operation) -> Int {
      precondition(count < Ring.capacityMaximum, "callers keep to the ring's capacity")
      let place = (first + count) & 255
      places[place] = consume operation
      count += 1
      return place
    }

    /// Takes the first one out where it has ended and, if it failed, nothing else is in flight.
    mutating func takeFirst() -> Operation? {
      guard count > 0, let operation = places[first].take() else { return nil }
      guard operation.state == .ended, operation.status.isSuccess || running == 0 else {
        places[first] = consume operation
        return nil
      }
      first = (first + 1) & 255
      count -= 1
      return operation
    }

    /// Lets `body` change the operation at `place`.
    mutating func change(_ place: Int, _ body: (inout Operation) -> Void) {
      guard var operation = places[place].take() else {
        preconditionFailure("an operation is in its place until it is delivered")
      }
      body(&operation)
      places[place] = consume operation
    }

    /// Places from first to last.
    func place(_ position: Int) -> Int { (first + position) & 255 }
  }
}
