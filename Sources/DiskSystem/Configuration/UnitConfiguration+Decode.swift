import Yams

extension UnitConfiguration {
  /// Bytes of a block that a logical unit may have.
  static let blockLengths = [512, 4096]
  /// No file system holds longer files.
  private static let byteCountMaximum: UInt64 = 1 << 60

  static func decodeAll(_ node: Node) throws(ConfigurationError) -> [UnitConfiguration] {
    let mapping = try ConfigurationMapping(node, "units")
    var units: [UnitConfiguration] = []
    var places: [Place: String] = [:]
    for (name, keyNode, value) in mapping.entries {
      guard isName(name) else {
        throw ConfigurationError(
          "\(name.quoted) cannot name a unit; write 1 to 64 letters, digits, '-', '_' or '.', "
            + "beginning with a letter or a digit", at: keyNode)
      }
      let unit = try decode(name, value)
      if let other = places.updateValue(name, forKey: unit.place) {
        throw ConfigurationError(
          "units \(other) and \(name) are the same place; give each its own", at: keyNode)
      }
      units.append(unit)
    }
    guard (1...Configuration.unitCountMaximum).contains(units.count) else {
      throw ConfigurationError(
        "1 to \(Configuration.unitCountMaximum) units belong here", at: node)
    }
    return units
  }

  /// It names files in the state directory too.
  static func isName(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    func isAlphanumeric(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: false
      }
    }
    guard (1...64).contains(bytes.count), isAlphanumeric(bytes[0]) else { return false }
    return bytes.allSatisfy { isAlphanumeric($0) || Array("-_.".utf8).contains($0) }
  }

  private static func decode(
    _ name: String, _ node: Node
  ) throws(ConfigurationError) -> UnitConfiguration {
    var mapping = try ConfigurationMapping(node, "unit \(name)")
    let place = try decodePlace(&mapping)
    let sizeNode = mapping.take("size")
    let byteCount = try sizeNode.map { node throws(ConfigurationError) in try node.byteCount() }
    let blockLength = try decodeBlockLength(mapping.take("block-length"))
    let thinNode = mapping.take("thin")
    let isThin = try thinNode?.flag() ?? false
    let isReadOnly = try mapping.take("read-only")?.flag() ?? false
    let isRemovable = try mapping.take("removable")?.flag() ?? false
    try mapping.finish()
    if case .device = place {
      if let sizeNode {
        throw ConfigurationError("a device has the size it has; leave size out", at: sizeNode)
      }
      if isThin, let thinNode {
        throw ConfigurationError(
          "a device is not thin here; leave thin out, or use a file", at: thinNode)
      }
    }
    if let byteCount, let sizeNode {
      let unit = UInt64(blockLength)
      guard byteCount % unit == 0, (unit...byteCountMaximum).contains(byteCount) else {
        throw ConfigurationError(
          "the size is a multiple of the block length of \(blockLength) bytes, and at most 1 EiB; "
            + "write \(ByteCountText.format(max(unit, byteCount / unit * unit)))", at: sizeNode)
      }
    }
    return UnitConfiguration(
      name: name, place: place, byteCount: byteCount, blockLength: blockLength, isThin: isThin,
      isReadOnly: isReadOnly, isRemovable: isRemovable)
  }

  private static func decodePlace(
    _ mapping: inout ConfigurationMapping
  ) throws(ConfigurationError) -> Place {
    let file = mapping.take("file")
    let device = mapping.take("device")
    switch (file, device) {
    case (let file?, nil):
      let path = try file.text("the path of a file")
      try check(path, file)
      let isInside = !path.hasPrefix("/")
      if isInside, path.split(separator: "/").contains("..") {
        throw ConfigurationError(
          "a relative path stays in the state directory; write an absolute one instead of ..",
          at: file)
      }
      return .file(path)
    case (nil, let device?):
      let path = try device.text("the path of a block device")
      try check(path, device)
      guard path.hasPrefix("/") else {
        throw ConfigurationError("a device is named by an absolute path, as /dev/sdb", at: device)
      }
      return .device(path)
    case (nil, nil):
      throw ConfigurationError(
        "\(mapping.name) has no place; add file: disk.img, or device: /dev/sdb", at: mapping.node)
    case (_, let device?):
      throw ConfigurationError(
        "a unit is a file or a device, not both; keep one of them", at: device)
    }
  }

  private static func check(_ path: String, _ node: Node) throws(ConfigurationError) {
    guard path.utf8.count < 4096, !path.utf8.contains(0) else {
      throw ConfigurationError("a path has at most 4095 bytes, none of them zero", at: node)
    }
  }

  private static func decodeBlockLength(_ node: Node?) throws(ConfigurationError) -> Int {
    guard let node else { return 512 }
    guard let number = ByteCountText.parse(node.scalar?.string ?? ""),
      let length = Int(exactly: number), blockLengths.contains(length)
    else {
      throw ConfigurationError("a block length of 512 or 4096 belongs here", at: node)
    }
    return length
  }
}
