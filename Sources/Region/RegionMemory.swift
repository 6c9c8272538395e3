import CRegion

/// Loses the stores of a processor from some moment on, as its death does.
///
/// The model checker uses it to explore what a section leaves behind that was not finished.
final class StoreFuse {
  /// Stores that still take effect.
  var left: Int

  init(left: Int) { self.left = left }

  func passes() -> Bool {
    guard left > 0 else { return false }
    left -= 1
    return true
  }
}

/// The bytes of a region. Every access is whole, in order, and within bounds.
///
/// Offsets come from `RegionGeometry` and from indexes that were checked against it, never from the
/// region itself, so an access out of bounds is a mistake of ours.
@safe
struct RegionMemory: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let byteCount: Int
  var fuse: StoreFuse?

  init(base: UnsafeMutableRawPointer, byteCount: Int, fuse: StoreFuse? = nil) {
    unsafe self.base = base
    self.byteCount = byteCount
    self.fuse = fuse
  }

  func pointer(_ offset: Int, _ count: Int) -> UnsafeMutableRawPointer {
    precondition(
      offset >= 0 && count >= 0 && count <= byteCount && offset <= byteCount - count,
      "offsets are checked before they are used")
    return unsafe base + offset
  }

  func load16(_ offset: Int) -> UInt16 { unsafe cr_load16(pointer(offset, 2)) }
  func load32(_ offset: Int) -> UInt32 { unsafe cr_load32(pointer(offset, 4)) }
  func load64(_ offset: Int) -> UInt64 { unsafe cr_load64(pointer(offset, 8)) }

  func store16(_ offset: Int, _ value: UInt16) {
    if let fuse, !fuse.passes() { return }
    unsafe cr_store16(pointer(offset, 2), value)
  }

  func store32(_ offset: Int, _ value: UInt32) {
    if let fuse, !fuse.passes() { return }
    unsafe cr_store32(pointer(offset, 4), value)
  }

  func store64(_ offset: Int, _ value: UInt64) {
    if let fuse, !fuse.passes() { return }
    unsafe cr_store64(pointer(offset, 8), value)
  }

  /// Copies bytes out; a peer that changes them meanwhile spoils the copy and nothing else.
  func bytes(_ offset: Int, _ count: Int) -> [UInt8] {
    unsafe [UInt8](UnsafeRawBufferPointer(start: pointer(offset, count), count: count))
  }

  func store(_ offset: Int, _ bytes: ArraySlice<UInt8>) {
    if let fuse, !fuse.passes() { return }
    let target = unsafe UnsafeMutableRawBufferPointer(
      start: pointer(offset, bytes.count), count: bytes.count)
    unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
  }
}

/// A field of a structure of the layout.
struct Field<Layout, Value> {
  let offset: Int
  init(_ offset: Int) { self.offset = offset }
}

/// One entry of a table of the region.
struct Record<Layout> {
  let memory: RegionMemory
  let offset: Int

  subscript(field: Field<Layout, UInt16>) -> UInt16 {
    get { memory.load16(offset + field.offset) }
    nonmutating set { memory.store16(offset + field.offset, newValue) }
  }

  subscript(field: Field<Layout, UInt32>) -> UInt32 {
    get { memory.load32(offset + field.offset) }
    nonmutating set { memory.store32(offset + field.offset, newValue) }
  }

  subscript(field: Field<Layout, UInt64>) -> UInt64 {
    get { memory.load64(offset + field.offset) }
    nonmutating set { memory.store64(offset + field.offset, newValue) }
  }

  /// At most `limit` bytes, as many as `count` says.
  func bytes(_ field: Field<Layout, [UInt8]>, count: UInt32, limit: Int) -> [UInt8] {
    memory.bytes(offset + field.offset, min(Int(count), limit))
  }

  func store(_ bytes: [UInt8], in field: Field<Layout, [UInt8]>, limit: Int) {
    memory.store(offset + field.offset, bytes.prefix(limit))
  }
}
