extension SimulatedFileSystem {
  /// The content of a file as a reader sees it now; nil where there is none.
  public func content(of path: String) -> [UInt8]? {
    state.withLock { state in
      guard let file = try? state.tree.find(path) else { return nil }
      return state.tree.files[file].map {
        $0.content.bytes(from: 0, count: Int(clamping: $0.content.byteCount))
      }
    }
  }

  /// The content that is sure to be there after a power loss now, if the file's name is.
  public func durableContent(of path: String) -> [UInt8]? {
    state.withLock { state in
      guard let file = try? state.tree.find(path) else { return nil }
      return state.tree.files[file].map {
        $0.durable.bytes(from: 0, count: Int(clamping: $0.durable.byteCount))
      }
    }
  }

  /// Makes or replaces a file, with the directories above it; durable at once, and no operation of
  /// the plan.
  public func setContent(of path: String, _ bytes: [UInt8]) {
    var content = SimulatedBytes()
    unsafe bytes.withUnsafeBytes { unsafe content.write($0, at: 0) }
    settle(path, content)
  }

  /// Makes a file of `byteCount` bytes that is all hole, durable at once.
  public func makeSparseFile(_ path: String, byteCount: UInt64) {
    var content = SimulatedBytes()
    content.resize(to: byteCount)
    settle(path, content)
  }

  /// Makes a block device of zeros, durable at once.
  public func makeBlockDevice(_ path: String, byteCount: UInt64, logicalBlockLength: UInt32) {
    settle(
      path, nil, SimulatedFile(blockDevice: byteCount, logicalBlockLength: logicalBlockLength))
  }

  /// Changes bytes behind everyone's back: what a bad disk does. False where there is no such file.
  public func overwrite(_ path: String, at offset: UInt64, with bytes: [UInt8]) -> Bool {
    state.withLock { state in
      guard let file = try? state.tree.find(path) else { return false }
      state.tree.files[file]?.corrupt(bytes, at: offset)
      return true
    }
  }

  /// The names in a directory, sorted; nil where there is no such directory.
  public func names(in path: String) -> [String]? {
    state.withLock { state in
      guard let file = try? state.tree.find(path), state.tree.files[file]?.kind == .directory
      else { return nil }
      return state.tree.names(in: file).keys.sorted()
    }
  }

  /// Bytes that take room, in whole blocks.
  public var usedBytes: UInt64 {
    state.withLock { $0.tree.usedBlockCount * SimulatedBytes.blockLength }
  }

  /// Descriptors that are open: a program that has ended leaves none.
  public var openDescriptorCount: Int { state.withLock { $0.tree.openFiles.count } }

  /// Operations and calls since the mount: what `powerLossAtOperation` counts.
  public var operationCount: Int { state.withLock { $0.mount.operationCount } }

  /// Whether the power has failed and nothing has mounted it since.
  public var isDown: Bool { state.withLock { $0.mount.isDown } }

  /// The power fails now.
  public func crash() {
    state.withLock { $0.losePower() }
  }

  /// Powers up with a plan; returns the name of this time.
  func mount(_ plan: SimulationPlan) -> Int {
    state.withLock { state in
      let epoch = state.mount.epoch + 1
      state.mount = Mount()
      state.mount.epoch = epoch
      state.mount.plan = plan
      state.mount.random = SimulatedRandom(seed: plan.seed ^ 0x66_69_6c_65_73)
      return epoch
    }
  }

  private func settle(_ path: String, _ content: SimulatedBytes?, _ file: SimulatedFile? = nil) {
    state.withLock { state in
      var at = ""
      let parts = SimulatedTree.components(path)
      for (index, part) in parts.enumerated() {
        at += "/" + part
        if (try? state.tree.find(at)) != nil { continue }
        guard let place = try? state.tree.place(at) else { return }
        let isLast = index == parts.count - 1
        let new = isLast ? file ?? SimulatedFile(kind: .regular) : SimulatedFile(kind: .directory)
        _ = state.tree.addDurably(new, at: place)
      }
      if let content, let number = try? state.tree.find(path) {
        state.tree.files[number]?.settle(content)
      }
    }
  }
}
