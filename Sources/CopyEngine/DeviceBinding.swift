import Devices
import ExtendedCopy
import SCSI

/// Which of the devices that were given each target descriptor names.
struct DeviceBinding {
  private let bindings: [(name: DeviceOptions, binding: ListRequest.Binding)]

  /// - Throws: `contradiction` where two devices carry the same name.
  init(_ given: [ListRequest.Binding]) throws(EngineError) {
    var bindings: [(name: DeviceOptions, binding: ListRequest.Binding)] = []
    for binding in given { bindings.append((try DeviceOptions(binding.device), binding)) }
    for (index, one) in bindings.enumerated() {
      for other in bindings[..<index] {
        if one.binding.descriptor != nil, one.binding.descriptor == other.binding.descriptor {
          throw EngineError(
            .contradiction,
            "\(one.binding.device): descriptor \(one.binding.descriptor ?? 0) is "
              + "bound to \(other.binding.device) already; bind it once")
        }
        if let what = one.name.shares(other.name) {
          throw EngineError(
            .contradiction,
            "\(one.binding.device): has the same \(what) as "
              + "\(other.binding.device); give each device its own")
        }
      }
    }
    self.bindings = bindings
  }

  /// For each target descriptor the index of its device, or nil.
  func resolve(_ list: ParameterList) throws(EngineError) -> [Int?] {
    var devices: [Int?] = list.targets.map { target in
      target.isNull ? nil : bindings.firstIndex { $0.name.isNamed(by: target) }
    }
    let numbers = list.targetIndices
    for (index, entry) in bindings.enumerated() {
      guard let number = entry.binding.descriptor else { continue }
      guard numbers.indices.contains(number), let target = numbers[number] else {
        throw EngineError(
          .illegalRequest,
          "\(entry.binding.device): there is no target descriptor \(number); "
            + "the list has \(numbers.count), counted from 0")
      }
      devices[target] = index
    }
    return devices
  }
}

extension DeviceOptions {
  private var number: UInt64 { lun ?? 0 }

  /// What both are named by, in words; nil where no descriptor could name both.
  func shares(_ other: DeviceOptions) -> String? {
    if let naa, naa == other.naa { return "naa=" }
    if let wwn, wwn == other.wwn, number == other.number { return "wwn= and lun=" }
    return nil
  }

  /// Whether `target` names a device with this identity.
  func isNamed(by target: TargetDescriptor) -> Bool {
    switch target.identification {
    case .designator(let designator):
      return designator.type == Designator.typeNAA && naa == designator.bytes
    case .wwn(let name), .nPortIDWithName(let name, _), .sas(let name):
      return wwn == (0..<8).map { UInt8(truncatingIfNeeded: name >> (56 - 8 * $0)) }
        && Self.number(ofLogicalUnit: target) == number
    default:
      return false
    }
  }

  /// The number in a LUN of one level, in peripheral or in flat space addressing. SAM-5 4.7.
  static func number(ofLogicalUnit target: TargetDescriptor) -> UInt64? {
    let unit = target.logicalUnit
    guard target.luIDType == 0, unit & 0xFFFF_FFFF_FFFF == 0 else { return nil }
    switch unit >> 62 {
    case 0: return unit >> 56 == 0 ? unit >> 48 : nil
    case 1: return unit >> 48 & 0x3FFF
    default: return nil
    }
  }
}
