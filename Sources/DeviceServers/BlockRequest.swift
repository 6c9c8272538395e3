import SAM
import SCSI

/// A command of SBC-3, taken out of its CDB and checked as far as the CDB alone allows.
struct BlockRequest: Equatable {
  /// What it asks for.
  enum Operation: Equatable {
    case read, write, verify, writeAndVerify, writeSame, compareAndWrite, orWrite
    case preFetch, synchronizeCache, unmap, getLBAStatus
    case readCapacity10, readCapacity16, readDefectData10, readDefectData12
    case startStopUnit, preventAllowMediumRemoval, sanitize
  }

  /// BYTCHK. SBC-3 5.34.
  enum ByteCheck: UInt8 {
    /// The medium is read.
    case none = 0
    /// The medium is compared with as many blocks of data.
    case all = 1
    /// The medium is compared with one block of data.
    case one = 3
  }

  var operation: Operation
  /// LOGICAL BLOCK ADDRESS.
  var lba: UInt64 = 0
  /// TRANSFER LENGTH, VERIFICATION LENGTH or NUMBER OF LOGICAL BLOCKS.
  var blockCount: UInt64 = 0
  /// FUA.
  var forcesUnitAccess = false
  /// BYTCHK.
  var byteCheck = ByteCheck.none
  /// UNMAP of WRITE SAME.
  var unmaps = false
  /// NDOB, or an UNMAP without data: the block of WRITE SAME is zeros that are not sent.
  var hasNoDataOut = false
  /// IMMED.
  var immediate = false
  /// Where the CDB says how many blocks.
  var lengthField = 1
  /// Service action of SANITIZE.
  var sanitizes = Sanitize.exitFailureMode
  /// ALLOCATION LENGTH, or PARAMETER LIST LENGTH of what the initiator sends.
  var listLength = 0

  /// Whether it may change what is stored.
  var changesMedium: Bool {
    switch operation {
    case .write, .writeAndVerify, .writeSame, .compareAndWrite, .orWrite, .unmap, .sanitize:
      true
    default: false
    }
  }

  /// Whether `lba` and `blockCount` name blocks that must be there.
  var namesBlocks: Bool {
    switch operation {
    case .read, .write, .verify, .writeAndVerify, .writeSame, .compareAndWrite, .orWrite,
      .preFetch, .synchronizeCache, .getLBAStatus:
      true
    default: false
    }
  }

  /// Bytes the initiator sends.
  func dataOutByteCount(blockLength: Int) -> Int {
    let blocks: UInt64
    switch operation {
    case .write, .writeAndVerify, .orWrite: blocks = blockCount
    case .compareAndWrite: blocks = blockCount * 2
    case .verify:
      switch byteCheck {
      case .none: return 0
      case .all: blocks = blockCount
      case .one: blocks = min(1, blockCount)
      }
    case .writeSame: blocks = hasNoDataOut ? 0 : 1
    case .unmap, .sanitize: return listLength
    default: return 0
    }
    return Int(clamping: blocks.multipliedReportingOverflow(by: UInt64(blockLength)).0)
  }
}

/// ILLEGAL REQUEST with a pointer to the field of the CDB. SPC-4 4.5.2.4.2.
struct InvalidField: Error, Equatable {
  var byte: Int
  var bit: UInt8?

  init(_ byte: Int, bit: UInt8? = nil) {
    self.byte = byte
    self.bit = bit
  }

  /// 24h/00h at that field.
  var sense: SenseData {
    SenseData(
      key: .illegalRequest, additional: .invalidFieldInCDB,
      fieldPointer: SenseData.FieldPointer(
        offset: UInt16(byte), inCommand: true, bitPointer: bit))
  }
}
