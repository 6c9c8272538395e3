/// Names of the kinds of descriptors.
public enum DescriptorNames {
  /// Target descriptors by type code.
  public static let targets: [UInt8: String] = [
    0xE0: "fibre channel n_port_name", 0xE1: "fibre channel n_port_id",
    0xE2: "fibre channel n_port_id with n_port_name checking", 0xE3: "parallel interface t_l",
    0xE4: "identification descriptor", 0xE5: "ipv4", 0xE6: "alias", 0xE7: "rdma",
    0xE8: "ieee 1394 eui-64", 0xE9: "sas serial scsi protocol", 0xEA: "ipv6",
    0xEB: "ip copy service", 0xEC: "multiple device", 0xFE: "rod", 0xFF: "extension",
  ]

  /// Segment descriptors by type code.
  public static let segments: [UInt8: String] = [
    0x00: "block to stream", 0x01: "stream to block", 0x02: "block to block",
    0x03: "stream to stream", 0x04: "inline to stream", 0x05: "embedded to stream",
    0x06: "stream to discard", 0x07: "verify device", 0x08: "block with offset to stream",
    0x09: "stream to block with offset", 0x0A: "block with offset to block with offset",
    0x0B: "block to stream and hold", 0x0C: "stream to block and hold",
    0x0D: "block to block and hold", 0x0E: "stream to stream and hold",
    0x0F: "stream to discard and hold", 0x10: "write filemarks", 0x11: "space", 0x12: "locate",
    0x13: "tape image copy", 0x14: "register key", 0x15: "third party persistent reservation",
    0x16: "block device image copy", 0x17: "positioning", 0x18: "tape copy",
    0xBE: "populate rod from block ranges", 0xBF: "populate rod from one range",
  ]
}
