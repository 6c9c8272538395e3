import Testing

@testable import Uring

@Suite("An arena")
struct ArenaTests {
  /// A kernel that registers nothing, for tests of memory alone.
  final class NoKernel: Kernel {
    var largest = Int.max
    override func register(arena: UnsafeMutableRawBufferPointer) -> Int32 {
      arena.count <= largest ? 0 : -12
    }
  }

  static func arena(_ byteCount: Int? = 2 << 20) throws -> Arena {
    try Arena(byteCount: byteCount, kernel: NoKernel())
  }

  static func places(_ payload: borrowing Payload) -> [(Int, Int)] {
    var places: [(Int, Int)] = []
    unsafe payload.forEachRange { range in
      places.append((Int(bitPattern: range.baseAddress), range.count))
    }
    return places
  }

  /// A payload can stand in an array only in a box.
  final class Box {
    var payload: Payload
    /// What the model says its bytes are.
    var model: [UInt8]
    /// Whether another payload shows the same bytes, so that it must not be written.
    init(_ payload: consuming Payload, _ model: [UInt8]) {
      self.payload = payload
      self.model = model
    }
    func cut(_ count: Int) -> Box {
      let first = Box(payload.removeFirst(count), Array(model.prefix(count)))
      model.removeFirst(count)
      return first
    }
    func join(_ other: Box) {
      let count = other.payload.byteCount
      payload.append(other.payload.removeFirst(count))
      model += other.model
      other.model = []
    }
    var bytes: [UInt8] { payload.bytes() }
    var byteCount: Int { payload.byteCount }
    var rangeCount: Int { payload.rangeCount }
    var sliceCount: Int { payload.sliceCount }
    func share(_ count: Int) -> Box { Box(payload.sharing(count), Array(model.prefix(count))) }
    func truncate(_ count: Int) {
      payload.truncate(to: count)
      model = Array(model.prefix(count))
    }
  }

  @Test("holds its bytes through any sequence of cuts, joins, shares and drops", arguments: 0..<20)
  func property(seed: Int) throws {
    let arena = try Self.arena()
    let free = (arena.freeByteCount, arena.freeSliceCount)
    var random = SimulatedRandom(seed: UInt64(seed))
    var boxes: [Box] = []
    for step in 0..<1000 {
      func any() -> Box { boxes[Int(random.next() % UInt64(boxes.count))] }
      switch boxes.isEmpty ? 0 : random.next() % 8 {
      case 0, 1:
        let count = Int(random.number(in: 1...60_000))
        let alignment = 512 << Int(random.next() % 6)
        guard var payload = arena.allocate(count, alignment: alignment) else { continue }
        let at = Self.places(payload)
        #expect(at.count == 1 && at[0].0 % alignment == 0 && at[0].1 == count)
        let bytes = pattern(count, step)
        payload.overwrite(with: bytes)
        boxes.append(Box(payload, bytes))
      case 2, 3:
        let box = any()
        boxes.append(box.cut(Int(random.number(in: 0...UInt64(box.model.count)))))
      case 4:
        let (one, other) = (any(), any())
        if one !== other { one.join(other) }
      case 5:
        let box = any()
        if !box.model.isEmpty {
          boxes.append(box.share(Int(random.number(in: 0...UInt64(box.model.count)))))
        }
      case 6:
        let box = any()
        box.truncate(Int(random.number(in: 0...UInt64(box.model.count))))
      default: boxes.remove(at: Int(random.next() % UInt64(boxes.count)))
      }
      if boxes.count > 60 { boxes.removeFirst(30) }
    }
    for box in boxes {
      #expect(box.byteCount == box.model.count)
      #expect(box.bytes == box.model)
    }
    boxes = []
    #expect(arena.freeByteCount == free.0)
    #expect(arena.freeSliceCount == free.1)
    let whole = arena.allocate(free.0, alignment: 512)?.byteCount
    #expect(whole == free.0)
  }

  @Test("lays reads that follow each other behind each other, as long as there is room")
  func contiguity() throws {
    let arena = try Self.arena(4 << 20)
    var waiting: [Box] = []
    var joins = 0
    var contiguous = 0
    for _ in 0..<400 {
      guard let payload = arena.allocate(65_536) else {
        Issue.record("there is room for eight blocks")
        return
      }
      waiting.append(Box(payload, []))
      if waiting.count == 8 {
        let first = waiting.removeFirst()
        let second = waiting.removeFirst()
        first.join(second)
        joins += 1
        if first.payload.rangeCount == 1 { contiguous += 1 }
      }
    }
    // Only at the end of the arena two neighbours in time lie apart.
    #expect(joins > 150 && contiguous * 50 > joins * 48)
  }

  @Test("never runs out of spans before it runs out of slices")
  func spans() throws {
    let arena = try Self.arena(16 << 20)
    var boxes: [Box] = []
    while let payload = arena.allocate(512, alignment: 512) { boxes.append(Box(payload, [])) }
    #expect(arena.freeSliceCount == 0)
    // Every second one: as many free spans as there are used ones.
    var kept: [Box] = []
    for (index, box) in boxes.enumerated() where index % 2 == 0 { kept.append(box) }
    boxes = []
    while let payload = arena.allocate(1, alignment: 512) { boxes.append(Box(payload, [])) }
    #expect(arena.freeSliceCount == 0)
    kept = []
    boxes = []
    let isWhole = arena.allocate(15 << 20) != nil
    #expect(isWhole)
  }

  @Test("refuses sizes that cannot be: none, negative, larger than itself")
  func sizes() throws {
    let arena = try Self.arena()
    for count in [0, -1, Int.min, (2 << 20) + 1, Int.max] {
      let isRefused = arena.allocate(count) == nil
      #expect(isRefused)
    }
    #expect(throws: RingError.self) { _ = try Self.arena(Int.max) }
    #expect(throws: RingError.self) { _ = try Self.arena(1 << 50) }
  }

  @Test("gives zeros that take no room and are cut like any payload")
  func zeros() throws {
    let arena = try Self.arena()
    let free = arena.freeByteCount
    let zeros = Box(arena.zeros(200_000), [UInt8](repeating: 0, count: 200_000))
    #expect(arena.freeByteCount == free)
    #expect(zeros.sliceCount == 4)
    let first = zeros.cut(70_001)
    #expect(first.bytes == first.model && first.model.count == 70_001)
    #expect(zeros.bytes == zeros.model && zeros.model.count == 129_999)
    let none = arena.zeros(0).isEmpty
    #expect(none)
  }

  @Test("gathers a payload of many pieces into one")
  func gather() throws {
    let arena = try Self.arena()
    let box = Box(arena.empty(), [])
    for number in 0..<5 {
      guard var piece = arena.allocate(1000 + number) else { return }
      piece.overwrite(with: pattern(1000 + number, number))
      box.join(Box(piece, pattern(1000 + number, number)))
    }
    #expect(box.rangeCount == 5)
    let isAligned = box.payload.isAligned(to: 512)
    #expect(!isAligned)
    guard let gathered = box.payload.gathered(alignment: 4096) else {
      Issue.record("there is room to gather")
      return
    }
    let whole = Box(gathered, [])
    #expect(whole.rangeCount == 1)
    #expect(whole.bytes == box.model)
  }

  @Test("of no said size is what can be registered of 32 MiB, or 32 MiB that are not")
  func chosenSize() throws {
    let table: [(largest: Int, byteCount: Int, isRegistered: Bool)] = [
      (.max, 32, true), (32 << 20, 32, true), (31 << 20, 30, true), (7 << 20, 6, true),
      (4 << 20, 4, true), ((4 << 20) - 1, 32, false), (0, 32, false),
    ]
    for row in table {
      let kernel = NoKernel()
      kernel.largest = row.largest
      let arena = try Arena(byteCount: nil, kernel: kernel)
      #expect(arena.facts.byteCount == row.byteCount << 20)
      #expect(arena.facts.isRegistered == row.isRegistered)
      #expect((arena.facts.lockedMemory == nil) == (row.largest >= 32 << 20))
    }
    let kernel = NoKernel()
    kernel.largest = 8 << 20
    #expect(try Arena(byteCount: 16 << 20, kernel: kernel).facts.byteCount == 16 << 20)
  }
}
