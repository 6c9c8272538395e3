import CRegion

// The fields of the layout, by the structure they belong to and the size they have.

extension Field where Layout == cr_header, Value == UInt64 {
  static var magic: Self { Self(CR_HEADER_MAGIC) }
  static var totalBytes: Self { Self(CR_HEADER_TOTAL_BYTES) }
  static var epochLast: Self { Self(CR_HEADER_EPOCH_LAST) }
  static var sequenceLast: Self { Self(CR_HEADER_SEQUENCE_LAST) }
  static var lostResultCount: Self { Self(CR_HEADER_LOST_RESULT_COUNT) }
}

extension Field where Layout == cr_header, Value == UInt32 {
  static var version: Self { Self(CR_HEADER_VERSION) }
  static var headerBytes: Self { Self(CR_HEADER_HEADER_BYTES) }
  static var processorCount: Self { Self(CR_HEADER_PROCESSOR_COUNT) }
  static var jobCount: Self { Self(CR_HEADER_JOB_COUNT) }
  static var noteCount: Self { Self(CR_HEADER_NOTE_COUNT) }
  static var deviceCount: Self { Self(CR_HEADER_DEVICE_COUNT) }
  static var chunkCount: Self { Self(CR_HEADER_CHUNK_COUNT) }
  static var chunkBytes: Self { Self(CR_HEADER_CHUNK_BYTES) }
  static var freeChunk: Self { Self(CR_HEADER_FREE_CHUNK) }
  static var freeChunkCount: Self { Self(CR_HEADER_FREE_CHUNK_COUNT) }
  static var jobHint: Self { Self(CR_HEADER_JOB_HINT) }
  static var repairCount: Self { Self(CR_HEADER_REPAIR_COUNT) }
}

extension Field where Layout == cr_processor, Value == UInt64 {
  static var epoch: Self { Self(CR_PROCESSOR_EPOCH) }
  static var heartbeat: Self { Self(CR_PROCESSOR_HEARTBEAT) }
  static var polls: Self { Self(CR_PROCESSOR_POLLS) }
  static var attempts: Self { Self(CR_PROCESSOR_ATTEMPTS) }
}

extension Field where Layout == cr_processor, Value == UInt32 {
  static var state: Self { Self(CR_PROCESSOR_STATE) }
  static var pid: Self { Self(CR_PROCESSOR_PID) }
  static var controller: Self { Self(CR_PROCESSOR_CONTROLLER) }
  static var wake: Self { Self(CR_PROCESSOR_WAKE) }
}

extension Field where Layout == cr_job, Value == UInt64 {
  static var sequence: Self { Self(CR_JOB_SEQUENCE) }
  static var receiverEpoch: Self { Self(CR_JOB_RECEIVER_EPOCH) }
  static var holderEpoch: Self { Self(CR_JOB_HOLDER_EPOCH) }
  static var candidates: Self { Self(CR_JOB_CANDIDATES) }
  static var unavailable: Self { Self(CR_JOB_UNAVAILABLE) }
  static var declined: Self { Self(CR_JOB_DECLINED) }
  static var listBytes: Self { Self(CR_JOB_LIST_BYTES) }
  static var dataBytes: Self { Self(CR_JOB_DATA_BYTES) }
  static var bytesMoved: Self { Self(CR_JOB_BYTES_MOVED) }
  static var border: Self { Self(CR_JOB_BORDER) }
  static var blocks: Self { Self(CR_JOB_BLOCKS) }
  static var position: Self { Self(CR_JOB_POSITION) }
  static var postedTime: Self { Self(CR_JOB_POSTED_TIME) }
}

extension Field where Layout == cr_job, Value == UInt32 {
  static var phase: Self { Self(CR_JOB_PHASE) }
  static var generation: Self { Self(CR_JOB_GENERATION) }
  static var receiver: Self { Self(CR_JOB_RECEIVER) }
  static var holder: Self { Self(CR_JOB_HOLDER) }
  static var listHead: Self { Self(CR_JOB_LIST_HEAD) }
  static var dataHead: Self { Self(CR_JOB_DATA_HEAD) }
  static var abort: Self { Self(CR_JOB_ABORT) }
  static var port: Self { Self(CR_JOB_PORT) }
  static var segment: Self { Self(CR_JOB_SEGMENT) }
  static var borderKnown: Self { Self(CR_JOB_BORDER_KNOWN) }
  static var outcome: Self { Self(CR_JOB_OUTCOME) }
  static var takenCount: Self { Self(CR_JOB_TAKEN_COUNT) }
  static var noteUsed: Self { Self(CR_JOB_NOTE_USED) }
  static var status: Self { Self(CR_JOB_STATUS) }
  static var digestBytes: Self { Self(CR_JOB_DIGEST_BYTES) }
  static var senseBytes: Self { Self(CR_JOB_SENSE_BYTES) }
  static var positionKnown: Self { Self(CR_JOB_POSITION_KNOWN) }
}

extension Field where Layout == cr_job, Value == [UInt8] {
  static var digest: Self { Self(CR_JOB_DIGEST) }
  static var sense: Self { Self(CR_JOB_SENSE) }
}

extension Field where Layout == cr_note, Value == UInt64 {
  static var detail: Self { Self(CR_NOTE_DETAIL) }
}

extension Field where Layout == cr_note, Value == UInt32 {
  static var reason: Self { Self(CR_NOTE_REASON) }
}

extension Field where Layout == cr_note, Value == UInt16 {
  static var processor: Self { Self(CR_NOTE_PROCESSOR) }
  static var port: Self { Self(CR_NOTE_PORT) }
}

extension Field where Layout == cr_device, Value == UInt64 {
  static var holderJob: Self { Self(CR_DEVICE_HOLDER_JOB) }
  static var holderEpoch: Self { Self(CR_DEVICE_HOLDER_EPOCH) }
}

extension Field where Layout == cr_device, Value == UInt32 {
  static var identityBytes: Self { Self(CR_DEVICE_IDENTITY_BYTES) }
}

extension Field where Layout == cr_device, Value == [UInt8] {
  static var identity: Self { Self(CR_DEVICE_IDENTITY) }
}
