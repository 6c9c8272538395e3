/// Why a step of the protocol was not taken.
public enum RegionError: Error, Equatable, Sendable {
  /// What a region has a bounded number of.
  public enum Resource: Equatable, Sendable {
    /// Slots for jobs.
    case jobs
    /// Chunks for lists and data.
    case chunks
    /// Entries for devices that are held.
    case devices
    /// Entries for processors.
    case processors
  }

  /// There is no room: the command is answered with BUSY and may be sent again.
  case full(Resource)
  /// The list or the data are longer than a region of this size can hold.
  case tooLong(limitBytes: Int)
  /// This processor was given up by the others: it stops its input and output, leaves and joins anew.
  case fenced
  /// The job has ended and its slot may serve another one.
  case noSuchJob
  /// Another processor has exclusive control of the job.
  case taken
  /// This processor does not have exclusive control of the job.
  case notHolder
  /// The processor did not receive the command of this job.
  case notReceiver
  /// The bitmap table does not name this processor, or it has declined or failed already.
  case notACandidate
  /// The step does not follow from where the job stands.
  case wrongPhase(JobPhase)
  /// The job shall end: the holder stops, and finishes it as aborted.
  case aborted(AbortReason)
  /// Another job holds the device.
  case deviceHeld(by: JobID)
  /// The name of a device is empty or longer than 64 bytes.
  case badIdentity
  /// The region holds what no step of the protocol leaves behind; it is repaired where possible.
  case damaged
  /// The mutex was not to be had in time: whoever holds it is stopped, but not dead.
  case lockTimedOut
  /// The mutex cannot be taken.
  case lock(errno: Int32)
  /// A system call failed.
  case system(call: String, errno: Int32)
  /// The file is no region that this process may use, and why.
  case notARegion(String)
}
