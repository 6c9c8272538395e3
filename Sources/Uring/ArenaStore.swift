/// Ends lists of slices and spans.
let noIndex = UInt32.max

/// The tables behind an arena: which bytes are in use, and the slices that payloads are made of.
///
/// Memory is handed out next-fit: a rover walks the spans in address order, so reads that follow
/// each other in time also lie behind each other in memory, and a record cut from several reads is
/// usually one contiguous range again. A span is freed when its last slice is dropped, in any order.
/// Everything is fixed in size at the start and plain data: no allocation, no reference counting.
@unsafe
struct ArenaStore {
  /// A range of the arena, free or in use; neighbours in address order are linked.
  struct Span {
    var start: Int
    var length: Int
    /// Number of slices that show bytes of this span; 0 where it is free.
    var uses: UInt32
    var previous: UInt32
    var next: UInt32
  }

  /// A range of bytes inside a span, linked to the next one of the same payload.
  struct Slice {
    var start: Int
    var length: Int
    var span: UInt32
    var next: UInt32
  }

  let base: UnsafeMutableRawPointer
  let byteCount: Int
  private let spans: UnsafeMutablePointer<Span>
  private let slices: UnsafeMutablePointer<Slice>
  private var rover: UInt32
  private var freeSpan = noIndex
  private var freeSlice = noIndex
  /// Places of the tables that were never used: their memory is touched only when they are.
  private var untouchedSpan = 1
  private var untouchedSlice = 0
  private(set) var freeSliceCount: Int
  private(set) var freeByteCount: Int
  let sliceCapacity: Int
  private let spanCapacity: Int

  /// Spans start and end on this border: the strictest alignment direct I/O asks for on disks with
  /// 512-byte blocks. Larger alignments are asked for by each allocation.
  static let granule = 512

  init(base: UnsafeMutableRawPointer, byteCount: Int, sliceCapacity: Int) {
    unsafe self.base = base
    unsafe self.byteCount = byteCount
    unsafe self.sliceCapacity = sliceCapacity
    // Every span in use has a slice, and between two of them there is at most one that is free.
    unsafe spanCapacity = 2 * sliceCapacity + 1
    unsafe spans = .allocate(capacity: spanCapacity)
    unsafe slices = .allocate(capacity: sliceCapacity)
    unsafe freeSliceCount = sliceCapacity
    unsafe spans[0] = Span(
      start: 0, length: byteCount, uses: 0, previous: noIndex, next: noIndex)
    unsafe rover = 0
    unsafe freeByteCount = byteCount
  }

  func deallocate() {
    unsafe spans.deallocate()
    unsafe slices.deallocate()
  }

  // MARK: Slices

  func slice(_ index: UInt32) -> Slice {
    unsafe slices[Int(index)]
  }

  mutating func link(_ index: UInt32, to next: UInt32) {
    unsafe slices[Int(index)].next = next
  }

  mutating func advance(_ index: UInt32, by count: Int) {
    unsafe slices[Int(index)].start += count
    unsafe slices[Int(index)].length -= count
  }

  /// Makes slice `index` show the bytes of `other` too, where those follow in the same span.
  mutating func extend(_ index: UInt32, by other: UInt32) -> Bool {
    let one = unsafe slices[Int(index)]
    let two = unsafe slices[Int(other)]
    guard one.span == two.span, one.start + one.length == two.start else { return false }
    unsafe slices[Int(index)].length += two.length
    return true
  }

  /// A further slice over bytes of `span`, which is in use.
  mutating func addSlice(span: UInt32, start: Int, length: Int) -> UInt32 {
    precondition(unsafe freeSliceCount > 0, "slices are reserved before reads are admitted")
    var index = unsafe freeSlice
    if index != noIndex {
      unsafe freeSlice = slices[Int(index)].next
    } else {
      index = unsafe UInt32(truncatingIfNeeded: untouchedSlice)
      unsafe untouchedSlice += 1
    }
    unsafe freeSliceCount -= 1
    unsafe spans[Int(span)].uses += 1
    unsafe slices[Int(index)] = Slice(start: start, length: length, span: span, next: noIndex)
    return index
  }

  mutating func dropSlice(_ index: UInt32) {
    let span = unsafe slices[Int(index)].span
    unsafe slices[Int(index)].next = freeSlice
    unsafe freeSlice = index
    unsafe freeSliceCount += 1
    let uses = unsafe spans[Int(span)].uses
    precondition(uses > 0, "a slice shows a span in use")
    unsafe spans[Int(span)].uses = uses - 1
    if uses == 1 { unsafe release(span) }
  }

  // MARK: Spans

  /// A slice over `length` fresh bytes that start on a multiple of `alignment`, or `none`.
  mutating func allocate(_ length: Int, alignment: Int) -> UInt32 {
    precondition(
      alignment > 0 && alignment & (alignment - 1) == 0, "an alignment is a power of 2")
    guard length > 0, unsafe length <= freeByteCount, unsafe freeSliceCount > 0 else {
      return noIndex
    }
    let wanted = unsafe (length + Self.granule - 1) / Self.granule * Self.granule
    let first = unsafe rover
    var candidate = first
    repeat {
      let span = unsafe spans[Int(candidate)]
      if span.uses == 0 {
        let start = (span.start + alignment - 1) & ~(alignment - 1)
        if start - span.start + wanted <= span.length {
          return unsafe take(candidate, from: start, wanted, showing: length)
        }
      }
      candidate = span.next == noIndex ? unsafe firstSpan() : span.next
    } while candidate != first
    return noIndex
  }

  private func firstSpan() -> UInt32 {
    // Span 0 always starts the arena: merging keeps the earlier one of two neighbours.
    0
  }

  private mutating func take(_ index: UInt32, from start: Int, _ wanted: Int, showing: Int)
    -> UInt32
  {
    var index = index
    if unsafe start > spans[Int(index)].start {
      let gap = unsafe start - spans[Int(index)].start
      index = unsafe split(index, at: gap)
    }
    if unsafe spans[Int(index)].length > wanted { _ = unsafe split(index, at: wanted) }
    unsafe freeByteCount -= wanted
    let next = unsafe spans[Int(index)].next
    unsafe rover = next == noIndex ? 0 : next
    return unsafe addSlice(span: index, start: start, length: showing)
  }

  /// Cuts a free span in two and returns the second part.
  private mutating func split(_ index: UInt32, at length: Int) -> UInt32 {
    var rest = unsafe freeSpan
    if rest != noIndex {
      unsafe freeSpan = spans[Int(rest)].next
    } else {
      precondition(
        unsafe untouchedSpan < spanCapacity, "the table of spans holds all that slices can show")
      rest = unsafe UInt32(truncatingIfNeeded: untouchedSpan)
      unsafe untouchedSpan += 1
    }
    let whole = unsafe spans[Int(index)]
    unsafe spans[Int(rest)] = Span(
      start: whole.start + length, length: whole.length - length, uses: 0, previous: index,
      next: whole.next)
    if whole.next != noIndex { unsafe spans[Int(whole.next)].previous = rest }
    unsafe spans[Int(index)].length = length
    unsafe spans[Int(index)].next = rest
    return rest
  }

  private mutating func release(_ index: UInt32) {
    unsafe freeByteCount += spans[Int(index)].length
    let next = unsafe spans[Int(index)].next
    if next != noIndex, unsafe spans[Int(next)].uses == 0 { unsafe merge(index, with: next) }
    let previous = unsafe spans[Int(index)].previous
    if previous != noIndex, unsafe spans[Int(previous)].uses == 0 {
      unsafe merge(previous, with: index)
    }
  }

  private mutating func merge(_ index: UInt32, with next: UInt32) {
    let gone = unsafe spans[Int(next)]
    unsafe spans[Int(index)].length += gone.length
    unsafe spans[Int(index)].next = gone.next
    if gone.next != noIndex { unsafe spans[Int(gone.next)].previous = index }
    if unsafe rover == next { unsafe rover = index }
    unsafe spans[Int(next)].next = freeSpan
    unsafe freeSpan = next
  }
}
