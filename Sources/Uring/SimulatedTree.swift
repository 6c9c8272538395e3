import Glibc

/// The names of a simulated file system, which of them are durable, and its open files.
///
/// A name becomes durable when its directory is flushed. Until then a power loss keeps or drops each
/// change; a rename is kept or dropped whole.
struct SimulatedTree: Sendable {
  struct Place: Sendable {
    var directory: UInt64
    var name: String
  }

  /// A name that was made, removed, or both: a rename.
  struct NameChange: Sendable {
    var removed: Place?
    var added: Place?
    var file: UInt64
    var number = 0

    func touches(_ directories: Set<UInt64>) -> Bool {
      [removed, added].contains { $0.map { directories.contains($0.directory) } ?? false }
    }
  }

  struct OpenFile: Sendable {
    var file: UInt64
    var path: String
    var isReadable: Bool
    var isWritable: Bool
    var isDirect: Bool
  }

  static let root: UInt64 = 2
  /// Far above real descriptors, so that a ring's wake-up is told from a file.
  static let firstDescriptor: Int32 = 1_000_000

  var files: [UInt64: SimulatedFile] = [root: SimulatedFile(kind: .directory)]
  private var names: [UInt64: [String: UInt64]] = [root: [:]]
  private var durableNames: [UInt64: [String: UInt64]] = [root: [:]]
  private var changes: [NameChange] = []
  /// Changes made so far; names them for a flush that is submitted now.
  private(set) var nameChangeCount = 0
  var openFiles: [Int32: OpenFile] = [:]
  private var nextFile = root + 1
  private var nextDescriptor = firstDescriptor

  // MARK: Paths

  static func components(_ path: String) -> [String] {
    var parts: [String] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
    }
    return parts
  }

  static func normal(_ path: String) -> String { "/" + components(path).joined(separator: "/") }

  func names(in directory: UInt64) -> [String: UInt64] { names[directory] ?? [:] }

  /// The file at `path`, or -errno as a negative number.
  func find(_ path: String) throws(SystemError) -> UInt64 {
    var file = Self.root
    for part in Self.components(path) {
      guard let entries = names[file] else { throw SystemError(errno: ENOTDIR) }
      guard let next = entries[part] else { throw SystemError(errno: ENOENT) }
      file = next
    }
    return file
  }

  /// Where the last name of `path` stands or would stand.
  func place(_ path: String) throws(SystemError) -> Place {
    var parts = Self.components(path)
    guard let name = parts.popLast() else { throw SystemError(errno: EBUSY) }
    let directory = try find(parts.joined(separator: "/"))
    guard names[directory] != nil else { throw SystemError(errno: ENOTDIR) }
    return Place(directory: directory, name: name)
  }

  func file(at place: Place) -> UInt64? { names[place.directory]?[place.name] }

  // MARK: Changes of names

  mutating func add(_ file: SimulatedFile, at place: Place) -> UInt64 {
    let number = number(file)
    make(NameChange(removed: nil, added: place, file: number))
    return number
  }

  /// The same for a test that sets the scene: durable at once.
  mutating func addDurably(_ file: SimulatedFile, at place: Place) -> UInt64 {
    let number = number(file)
    names[place.directory]?[place.name] = number
    durableNames[place.directory]?[place.name] = number
    return number
  }

  private mutating func number(_ file: SimulatedFile) -> UInt64 {
    let number = nextFile
    nextFile += 1
    files[number] = file
    if file.kind == .directory {
      names[number] = [:]
      durableNames[number] = [:]
    }
    return number
  }

  mutating func remove(_ place: Place, of file: UInt64) {
    make(NameChange(removed: place, added: nil, file: file))
    files[file]?.isLinked = false
    collect()
  }

  mutating func move(_ file: UInt64, from place: Place, to target: Place) {
    if let replaced = self.file(at: target) { files[replaced]?.isLinked = false }
    make(NameChange(removed: place, added: target, file: file))
    collect()
  }

  private mutating func make(_ change: NameChange) {
    var change = change
    change.number = nameChangeCount
    nameChangeCount += 1
    Self.apply(change, to: &names)
    changes.append(change)
  }

  private static func apply(_ change: NameChange, to names: inout [UInt64: [String: UInt64]]) {
    if let removed = change.removed, names[removed.directory]?[removed.name] == change.file {
      names[removed.directory]?[removed.name] = nil
    }
    if let added = change.added { names[added.directory]?[added.name] = change.file }
  }

  /// A flush of `directory` that was submitted after `count` changes has succeeded. A rename takes
  /// the earlier changes of its other directory along.
  mutating func flushNames(of directory: UInt64, upTo count: Int) {
    var directories: Set<UInt64> = [directory]
    var taken: [NameChange] = []
    var left: [NameChange] = []
    for change in changes.reversed() {
      if change.number < count, change.touches(directories) {
        taken.append(change)
        for place in [change.removed, change.added] {
          if let place { directories.insert(place.directory) }
        }
      } else {
        left.append(change)
      }
    }
    for change in taken.reversed() { Self.apply(change, to: &durableNames) }
    changes = left.reversed()
    collect()
  }

  // MARK: Descriptors

  mutating func open(_ file: OpenFile) -> Int32 {
    let descriptor = nextDescriptor
    nextDescriptor += 1
    openFiles[descriptor] = file
    return descriptor
  }

  mutating func close(_ descriptor: Int32) {
    guard let open = openFiles.removeValue(forKey: descriptor) else { return }
    if files[open.file]?.lockedBy == descriptor { files[open.file]?.lockedBy = nil }
    collect()
  }

  // MARK: Room

  /// Blocks that take room: of files with a name or open.
  var usedBlockCount: UInt64 {
    let open = Set(openFiles.values.map(\.file))
    return files.reduce(0) { sum, entry in
      entry.value.isLinked || open.contains(entry.key)
        ? sum + entry.value.content.allocatedBlockCount : sum
    }
  }

  /// Forgets files that nothing can bring back.
  private mutating func collect() {
    var kept = Set(openFiles.values.map(\.file))
    kept.insert(Self.root)
    for entries in [names, durableNames] {
      for directory in entries.values { kept.formUnion(directory.values) }
    }
    for change in changes { kept.insert(change.file) }
    for file in files.keys where !kept.contains(file) { forget(file) }
  }

  private mutating func forget(_ file: UInt64) {
    files[file] = nil
    names[file] = nil
    durableNames[file] = nil
  }

  // MARK: Power loss

  mutating func losePower(random: inout SimulatedRandom) {
    for change in changes where random.happens(0.5) { Self.apply(change, to: &durableNames) }
    changes = []
    names = durableNames
    openFiles = [:]
    var reachable: Set<UInt64> = [Self.root]
    var waiting = [Self.root]
    while let directory = waiting.popLast() {
      for file in names(in: directory).values where reachable.insert(file).inserted {
        waiting.append(file)
      }
    }
    for file in files.keys where !reachable.contains(file) { forget(file) }
    for file in files.keys.sorted() {
      files[file]?.isLinked = true
      files[file]?.losePower(random: &random)
    }
  }
}
