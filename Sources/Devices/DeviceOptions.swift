/// A device as a person writes it: a name, and options behind commas.
///
/// ```
/// disk.img,block=512,naa=5000C500A1B2C3D4,lun=1,readonly
/// tape:DIR,position=12          a cartridge; position=end stands at end of data
/// /dev/nst0
/// iscsi://user%password@host:3260/iqn.2026-11.org.example:disks/0     a disk or tape over iSCSI
/// ```
/// A comma in a name is written twice. Options of identity: `naa` (8 or 16 bytes in hexadecimal),
/// `wwn` (8 bytes), `lun` (0 to 16383). Options of disks: `block`. Options of cartridges:
/// `position`. Of each device: `readonly`, and for tests and trials what makes it slow or wrong:
///
/// | option | what it does |
/// |---|---|
/// | `fault=KIND@PLACE` | goes wrong at a block or object, with `/once` the first time only; may be repeated. KIND: `read-error`, `write-error`, `short-read`, `short-write`, `torn-write`, `dropped-write`, `deferred-error` |
/// | `fault=lying-flush` | acknowledges flushes and filemarks without making anything durable |
/// | `delay=5ms` | takes longer for each operation |
/// | `rate=400MB` | moves at most so many bytes a second |
/// | `stall=2s/10s` | does nothing in the last 2 of every 10 seconds |
/// | `drive=lto-9`, `drive=400MB/177MB/32MB` | the timing of a tape drive: full and slowest speed in a second, and its buffer, 1 GiB where it is not said |
public struct DeviceOptions: Equatable, Sendable {
  /// What the name names.
  public enum Kind: Equatable, Sendable {
    /// A file or a block device.
    case disk
    /// A cartridge, by its directory.
    case cartridge
    /// A tape drive of this machine.
    case tape
    /// A logical unit over iSCSI; what it is only it can tell.
    case remote
  }

  /// What the name names.
  public var kind: Kind
  /// The path, without `tape:`; a URL with all it holds, passwords too, where it is remote.
  public var path: String
  /// Bytes of a block of a disk.
  public var blockLength: Int?
  /// NAA designator.
  public var naa: [UInt8]?
  /// World wide name of the port.
  public var wwn: [UInt8]?
  /// Logical unit number.
  public var lun: UInt64?
  /// Whether writes are refused.
  public var readOnly = false
  /// Where a cartridge stands at first.
  public var position = Cartridge.Options.Position.beginning
  /// What goes wrong, and how slowly.
  public var misbehaviour = Misbehaviour()
  /// The timing of a tape drive.
  public var drive: StreamingDrive.Model?

  /// Reads a device string.
  ///
  /// - Throws: `DeviceError.option`, with the option and what it should have been.
  public init(_ text: String) throws(DeviceError) {
    var parts = Self.split(text)
    let name = parts.removeFirst()
    if name.hasPrefix("tape:") {
      kind = .cartridge
      path = String(name.dropFirst(5))
    } else if name.hasPrefix("iscsi://") {
      kind = .remote
      path = name
    } else {
      let isDrive = ["/dev/nst", "/dev/st"].contains { name.hasPrefix($0) }
      kind = isDrive ? .tape : .disk
      path = name
    }
    guard !path.isEmpty else {
      throw .option(
        device: Self.shown(text), option: "name", reason: "a device begins with its path")
    }
    var seen: Set<String> = []
    for part in parts {
      let (key, value) = Self.keyAndValue(part)
      do throws(Reason) {
        if key != "fault", !seen.insert(key).inserted { throw Reason("is said twice") }
        try apply(key, value)
      } catch {
        throw .option(device: Self.shown(name), option: shown(part, key), reason: error.text)
      }
    }
  }

  /// A device string as it may be shown: passwords in URLs are left out, also of URLs that are none.
  public static func shown(_ text: String) -> String {
    guard text.hasPrefix("iscsi://") else { return text }
    var shown = text.dropFirst(8)
    let secret = "target-password="
    if let key = shown.firstRange(of: secret) {
      // A password may hold what elsewhere begins an option.
      let end = shown[key.upperBound...].firstIndex(of: "&") ?? shown.endIndex
      shown = shown[..<key.upperBound] + "…" + shown[end...]
    }
    guard let at = shown.lastIndex(of: "@") else {
      // A password with a comma, or an address whose host was forgotten.
      let login = shown.prefix { $0 != "/" }
      if let percent = login.firstIndex(of: "%") { return "iscsi://" + shown[..<percent] + "%…" }
      // With nothing behind it, what looks like a port may be one.
      if login.endIndex == shown.endIndex, let colon = login.firstIndex(of: ":") {
        return "iscsi://" + shown[..<colon] + ":…"
      }
      return "iscsi://" + shown
    }
    let user = shown[..<at].prefix { $0 != "%" && $0 != ":" }
    return "iscsi://" + user + (user.endIndex < at ? "%…" : "") + shown[at...]
  }

  /// What may be shown of an option: behind a URL it may be the rest of a password.
  private func shown(_ part: String, _ key: String) -> String {
    guard kind == .remote else { return part }
    return Self.keys.contains(key)
      ? key : "what follows a comma (write it twice where it belongs to a password)"
  }

  /// Why an option is not understood.
  struct Reason: Error {
    var text: String
    init(_ text: String) { self.text = text }
  }

  private static func split(_ text: String) -> [String] {
    var parts = [""]
    var rest = text[...]
    while let character = rest.popFirst() {
      if character != "," {
        parts[parts.count - 1].append(character)
      } else if rest.first == "," {
        rest.removeFirst()
        parts[parts.count - 1].append(",")
      } else {
        parts.append("")
      }
    }
    return parts
  }

  private static func keyAndValue(_ part: String) -> (String, String?) {
    let pieces = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    return (String(pieces[0]), pieces.count > 1 ? String(pieces[1]) : nil)
  }

  private mutating func apply(_ key: String, _ value: String?) throws(Reason) {
    if key == "readonly" {
      guard value == nil else { throw Reason("takes no value") }
      readOnly = true
      return
    }
    guard Self.keys.contains(key) else {
      throw Reason("is not known; the options are " + Self.keys.joined(separator: ", "))
    }
    guard let value, !value.isEmpty else { throw Reason("needs a value, \(key)=…") }
    switch key {
    case "block":
      guard kind == .disk else { throw Reason("is for disks; a tape has records") }
      let length = try Quantity.bytes(value)
      guard length > 0, length <= UInt64(FileDisk.blockLengthMaximum) else {
        throw Reason("a block has 1 to \(FileDisk.blockLengthMaximum) bytes")
      }
      blockLength = Int(length)
    case "naa": naa = try Quantity.hexadecimal(value, byteCounts: [8, 16])
    case "wwn": wwn = try Quantity.hexadecimal(value, byteCounts: [8])
    case "lun":
      lun = try Quantity.number(value)
      guard let lun, lun < 16384 else { throw Reason("a logical unit number is 0 to 16383") }
    case "position":
      guard kind == .cartridge || kind == .remote else {
        throw Reason("is for cartridges, tape:DIR, and for tapes over iSCSI")
      }
      position = value == "end" ? .endOfData : .object(try Quantity.number(value))
    case "drive":
      guard kind != .disk else { throw Reason("is for tapes") }
      drive = try Self.drive(value)
    default: try misbehaviour.apply(key, value)
    }
  }

  private static let keys = [
    "block", "naa", "wwn", "lun", "readonly", "position", "fault", "delay", "rate", "stall",
    "drive",
  ]

  private static func drive(_ value: String) throws(Reason) -> StreamingDrive.Model {
    if value == "lto-9" { return .lto9 }
    let speeds = value.split(separator: "/", omittingEmptySubsequences: false)
    guard speeds.count == 2 || speeds.count == 3 else {
      throw Reason("is lto-9, or two speeds and a buffer such as 400MB/177MB/32MB")
    }
    let native = try Quantity.bytes(String(speeds[0]))
    let slowest = try Quantity.bytes(String(speeds[1]))
    guard slowest > 0, slowest <= native else {
      throw Reason("the full speed comes first, and the slowest is not 0")
    }
    var model = StreamingDrive.Model(
      nativeBytesPerSecond: native, slowestBytesPerSecond: slowest)
    if speeds.count == 3 {
      let byteCount = try Quantity.bytes(String(speeds[2]))
      guard byteCount > 0, byteCount <= 1 << 40 else {
        throw Reason("a buffer has 1 byte to 1 TiB")
      }
      model.bufferByteCount = Int(byteCount)
    }
    return model
  }
}

extension Misbehaviour {
  fileprivate mutating func apply(_ key: String, _ value: String) throws(DeviceOptions.Reason) {
    switch key {
    case "fault": try applyFault(value)
    case "delay": delayNanoseconds = try Quantity.nanoseconds(value)
    case "rate":
      let rate = try Quantity.bytes(value)
      guard rate > 0 else { throw DeviceOptions.Reason("a rate is at least 1 byte a second") }
      bytesPerSecond = rate
    default:
      let parts = value.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw DeviceOptions.Reason("is two times, such as 2s/10s: 2 s in every 10 s")
      }
      stallNanoseconds = try Quantity.nanoseconds(String(parts[0]))
      stallPeriodNanoseconds = try Quantity.nanoseconds(String(parts[1]))
      guard stallNanoseconds < stallPeriodNanoseconds else {
        throw DeviceOptions.Reason("a stall is shorter than its period")
      }
    }
  }

  private mutating func applyFault(_ value: String) throws(DeviceOptions.Reason) {
    if value == "lying-flush" {
      liesAboutFlush = true
      return
    }
    var text = value[...]
    let once = text.hasSuffix("/once")
    if once { text = text.dropLast(5) }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, let kind = Fault.Kind(rawValue: String(parts[0])) else {
      let kinds = Fault.Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw DeviceOptions.Reason("is lying-flush, or KIND@PLACE with a KIND of \(kinds)")
    }
    let place = try Quantity.number(String(parts[1]))
    faults.append(Fault(kind, at: place, once: once))
  }
}
