public import SCSI

/// An end of a copy: a target descriptor, since SPC-4 called CSCD descriptor. SPC-4 6.4.5.
public struct TargetDescriptor: Hashable, Sendable {
  /// How the device is named; the descriptor type code says which way.
  public enum Identification: Hashable, Sendable {
    /// E0h: Fibre Channel N_Port_Name.
    case wwn(UInt64)
    /// E1h: Fibre Channel N_Port_ID, 24 bits.
    case nPortID(UInt32)
    /// E2h: Fibre Channel N_Port_ID (24 bits), checked against the N_Port_Name.
    case nPortIDWithName(name: UInt64, nPortID: UInt32)
    /// E3h: parallel SCSI T_L.
    case parallel(vendorSpecific: UInt8, target: UInt8)
    /// E4h: a designation descriptor of VPD page 83h, at most 20 bytes of it.
    case designator(Designator)
    /// E5h: IPv4.
    case ipv4(address: UInt32, port: UInt16, protocolNumber: UInt16)
    /// E6h: an alias that CHANGE ALIASES made known.
    case alias(UInt64)
    /// E7h: RDMA target port identifier, 16 bytes.
    case rdma(portIdentifier: [UInt8])
    /// E8h: IEEE 1394 EUI-64, with a directory identifier of 24 bits.
    case eui64(UInt64, directoryID: UInt32)
    /// E9h: SAS address.
    case sas(UInt64)
    /// EAh: IPv6, an address of 16 bytes; the descriptor has 64 bytes.
    case ipv6(address: [UInt8], port: UInt16, protocolNumber: UInt16)

    /// DESCRIPTOR TYPE CODE.
    public var typeCode: UInt8 {
      switch self {
      case .wwn: 0xE0
      case .nPortID: 0xE1
      case .nPortIDWithName: 0xE2
      case .parallel: 0xE3
      case .designator: 0xE4
      case .ipv4: 0xE5
      case .alias: 0xE6
      case .rdma: 0xE7
      case .eui64: 0xE8
      case .sas: 0xE9
      case .ipv6: 0xEA
      }
    }
  }

  /// The device type specific parameters, bytes 28 to 31; PERIPHERAL DEVICE TYPE says which.
  public enum Device: Hashable, Sendable {
    /// Types 00h, 04h, 05h, 07h, 0Eh. DISK BLOCK LENGTH in bytes, 24 bits, 0: the device is to be asked.
    case block(pad: Bool, blockLength: UInt32)
    /// Type 01h. STREAM BLOCK LENGTH in bytes, 24 bits, 0 where `fixed` is false.
    case stream(pad: Bool, fixed: Bool, blockLength: UInt32)
    /// Type 03h.
    case processor(pad: Bool)
    /// Any other type: the bytes are reserved.
    case other

    /// PAD: what does not fill a block is padded or discarded at the end of a segment.
    public var pad: Bool {
      switch self {
      case .block(let pad, _), .stream(let pad, _, _), .processor(let pad): pad
      case .other: false
      }
    }
  }

  /// How the device is named.
  public var identification: Identification
  /// LOGICAL UNIT IDENTIFIER as LU ID TYPE has it: the LUN, eight bytes. 0 where a designator names the device.
  public var logicalUnit: UInt64
  /// LU ID TYPE, two bits: 0 LUN, 1 proxy token. Without meaning where a designator names the device.
  public var luIDType: UInt8
  /// NUL: no device; only a segment that sends it no command may name it.
  public var isNull: Bool
  /// PERIPHERAL DEVICE TYPE, five bits.
  public var peripheralDeviceType: UInt8
  /// RELATIVE INITIATOR PORT IDENTIFIER: 0 for any port of the copy manager.
  public var relativeInitiatorPort: UInt16
  /// The device type specific parameters.
  public var device: Device
  /// First byte in the list it was decoded from, else 0. Not compared.
  public var offset: Int

  /// A target descriptor. `peripheralDeviceType` must be one that has `device`'s parameters.
  public init(
    identification: Identification, logicalUnit: UInt64 = 0, luIDType: UInt8 = 0,
    isNull: Bool = false, peripheralDeviceType: UInt8, relativeInitiatorPort: UInt16 = 0,
    device: Device, offset: Int = 0
  ) {
    self.identification = identification
    self.logicalUnit = logicalUnit
    self.luIDType = luIDType
    self.isNull = isNull
    self.peripheralDeviceType = peripheralDeviceType
    self.relativeInitiatorPort = relativeInitiatorPort
    self.device = device
    self.offset = offset
  }

  /// Bytes of a descriptor: one slot of the target descriptor list.
  public static let slotLength = 32

  /// How many slots of 32 bytes it takes, and how many descriptor numbers: two for EAh, else one.
  public var slots: Int {
    if case .ipv6 = identification { 2 } else { 1 }
  }

  /// Everything but `offset`.
  public static func == (one: TargetDescriptor, other: TargetDescriptor) -> Bool {
    one.identification == other.identification && one.logicalUnit == other.logicalUnit
      && one.luIDType == other.luIDType && one.isNull == other.isNull
      && one.peripheralDeviceType == other.peripheralDeviceType
      && one.relativeInitiatorPort == other.relativeInitiatorPort && one.device == other.device
  }

  /// Everything but `offset`.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(identification)
    hasher.combine(logicalUnit)
    hasher.combine(peripheralDeviceType)
    hasher.combine(device)
  }
}
