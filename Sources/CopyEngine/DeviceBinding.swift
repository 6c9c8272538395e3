import ExtendedCopy
import SCSI

/// Which of the devices that were given each target descriptor names.
struct DeviceBinding {
  private let bindings: [(name: DeviceName, binding: ListRequest.Binding)]

  /// - Throws: `contradiction` where two devices carry the same name.
  init(_ given: [ListRequest.Binding]) throws(EngineError) {
    var bindings: [(name: DeviceName, binding: ListRequest.Binding)] = []
    for binding in given { bindings.append((try DeviceName(binding.device), binding)) }
    for (index, one) in bindings.enumerated() {
      for other in bindings[..<index] {
        if one.binding.descriptor != nil, one.binding.descriptor == other.binding.descriptor {
          throw EngineError(
            .contradiction, "\(one.binding.device): descriptor \(one.binding.descriptor ?? 0) is "
              + "bound to \(other.binding.device) already; bind it once")
        }
        if let what = one.name.identity.shares(other.name.identity) {
          throw EngineError(
            .contradiction, "\(one.binding.device): has the same \(what) as "
              + "\(other.binding.device); give each device its own")
        }
      }
    }
    self.bindings = bindings
  }

  /// For each target descriptor the index of its device, or nil.
  func resolve(_ list: ParameterList) throws(EngineError) -> [Int?] {
    var devices: [Int?] = list.targets.map { target in
      target.isNull ? nil : bindings.firstIndex { $0.name.identity.isNamed(by: target) }
    }
    let numbers = list.targetIndices
    for (index, entry) in bindings.enumerated() {
      guard let number = entry.binding.descriptor else { continue }
      guard numbers.indices.contains(number), let target = numbers[number] else {
        throw EngineError(
          .illegalRequest, "\(entry.binding.device): there is no target descriptor \(number); "
            + "the list has \(numbers.count), counted from 0")
      }
      devices[target] = index
    }
    return devices
  }
}

extension DeviceName.Identity {
  /// What both are named by, in words; nil where no descriptor could name both.
  func shares(_ other: DeviceName.Identity) -> String? {
    if let naa, naa == other.naa { return "naa=" }
    if let eui, eui == other.eui { return "eui=" }
    if let t10, t10 == other.t10 { return "t10=" }
    if let wwn, wwn == other.wwn, lun == other.lun { return "wwn= and lun=" }
    return nil
  }

  /// Whether `target` names a device with this identity.
  func isNamed(by target: TargetDescriptor) -> Bool {
    switch target.identification {
    case .designator(let designator):
      switch designator.type {
      case Designator.typeNAA: return naa == designator.bytes
      case Designator.typeEUI64: return eui == designator.bytes
      case Designator.typeT10VendorIdentification: return t10 == designator.bytes
      default: return false
      }
    case .wwn(let name), .nPortIDWithName(let name, _), .sas(let name):
      return wwn == name && Self.number(ofLogicalUnit: target) == lun
    case .eui64(let name, _):
      return eui == (0..<8).map { UInt8(truncatingIfNeeded: name >> (56 - 8 * $0)) }
        && Self.number(ofLogicalUnit: target) == lun
    default:
      return false
    }
  }

  /// The number in a LUN of one level, in peripheral or in flat space addressing. SAM-5 4.7.
  static func number(ofLogicalUnit target: TargetDescriptor) -> Int? {
    let unit = target.logicalUnit
    guard target.luIDType == 0, unit & 0xFFFF_FFFF_FFFF == 0 else { return nil }
    switch unit >> 62 {
    case 0: return unit >> 56 == 0 ? Int(unit >> 48) : nil
    case 1: return Int(unit >> 48 & 0x3FFF)
    default: return nil
    }
  }
}
