import CopyManager
import ExtendedCopy
import SCSI
import Transfer

/// How a copy ended, for RECEIVE COPY RESULTS.
struct CopyRecord: Equatable {
  let key: CopyKey
  let serviceAction: ServiceAction
  let status: Status
  /// As it went to the initiator; empty with GOOD.
  let sense: [UInt8]
  let segmentsProcessed: UInt16
  let bytesWritten: UInt64
  /// nil once it was fetched.
  var heldData: [UInt8]?
  /// HDD.
  var heldDataDiscarded: Bool

  init(_ operation: CopyOperation, _ result: CopyResult, sense: [UInt8]) {
    key = operation.key
    serviceAction = operation.serviceAction
    status = result.status
    self.sense = sense
    segmentsProcessed = UInt16(clamping: result.segmentsProcessed)
    bytesWritten = result.counters.bytesWritten
    heldData = result.heldData
    heldDataDiscarded = result.heldDataDiscarded
  }
}

/// The records that are kept: a bounded number for each nexus, so that none can push out another's,
/// and a bounded amount of held data for all.
struct CopyRecords {
  /// Records of one nexus; the oldest goes first.
  static let perNexus = 32
  /// Held data of all records, in bytes; the oldest is discarded first, and HDD says so.
  static let heldBytes = 4 << 20

  private var records: [CopyRecord] = []

  var count: Int { records.count }
  private(set) var heldByteCount = 0

  subscript(key: CopyKey) -> CopyRecord? { records.first { $0.key == key } }

  /// Keeps `record`, in place of an older one under the same name.
  mutating func keep(_ record: CopyRecord) {
    discard { $0.key == record.key }
    if records.count(where: { $0.key.nexus === record.key.nexus }) >= Self.perNexus,
      let oldest = records.firstIndex(where: { $0.key.nexus === record.key.nexus })
    {
      heldByteCount -= records.remove(at: oldest).heldData?.count ?? 0
    }
    records.append(record)
    heldByteCount += record.heldData?.count ?? 0
    for index in records.indices where heldByteCount > Self.heldBytes {
      guard let held = records[index].heldData, !held.isEmpty else { continue }
      heldByteCount -= held.count
      records[index].heldData = nil
      records[index].heldDataDiscarded = true
    }
  }

  /// Forgets the held data of a record, because it was fetched.
  mutating func dropHeldData(of key: CopyKey) {
    guard let index = records.firstIndex(where: { $0.key == key }),
      let held = records[index].heldData, !held.isEmpty
    else { return }
    heldByteCount -= held.count
    records[index].heldData = nil
  }

  /// Forgets records.
  mutating func discard(where isDiscarded: (CopyRecord) -> Bool) {
    records.removeAll {
      guard isDiscarded($0) else { return false }
      heldByteCount -= $0.heldData?.count ?? 0
      return true
    }
  }
}
