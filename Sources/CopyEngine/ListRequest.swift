public import ExtendedCopy
public import SCSI

/// A parameter list of EXTENDED COPY to be executed, as bytes came from a backup server.
public struct ListRequest: Sendable, Equatable {
  /// A device for the list's target descriptors.
  public struct Binding: Sendable, Equatable {
    /// The device.
    public var device: DeviceSpecification
    /// The number of the target descriptor it stands for; nil: the one that names it by one of
    /// `naa=`, or `wwn=` with `lun=`.
    public var descriptor: Int?

    /// By what descriptors name it, or by the number of a descriptor.
    public init(_ device: DeviceSpecification, descriptor: Int? = nil) {
      self.device = device
      self.descriptor = descriptor
    }
  }

  /// The list.
  public var bytes: [UInt8]
  /// Which EXTENDED COPY it belongs to.
  public var serviceAction: ServiceAction
  /// The devices. A descriptor for which there is none is unreachable.
  public var devices: [Binding]

  /// A list of EXTENDED COPY(LID1), or of the service action said.
  public init(_ bytes: [UInt8], serviceAction: ServiceAction = .lid1, devices: [Binding]) {
    self.bytes = bytes
    self.serviceAction = serviceAction
    self.devices = devices
  }

  /// Bytes of the largest READ or WRITE of a tape that the list asks for; 0 where it cannot be read.
  /// An engine for this list needs memory for two of them.
  public var largestTransfer: Int {
    guard let list = try? ParameterList.decode(bytes, serviceAction: serviceAction) else {
      return 0
    }
    return list.largestTransfer
  }
}
