/// Why a negotiation cannot go on. RFC 7143 7.12.
public enum NegotiationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A key was negotiated or declared twice.
  case repeated(String)
  /// A key that this end may not send, or not in this stage.
  case misplaced(String)
  /// A declaration outside its range, or an answer that does not follow from the offer.
  case badValue(String)
  /// The other end rejects a key that we cannot do without.
  case rejected(String)
  /// FirstBurstLength over MaxBurstLength.
  case firstBurstOverMaxBurst

  /// For a log or a person.
  public var description: String {
    switch self {
    case .repeated(let key): "\(key) was negotiated twice"
    case .misplaced(let key): "\(key) may not come here"
    case .badValue(let key): "\(key) has a value that it cannot have"
    case .rejected(let key): "\(key) was rejected"
    case .firstBurstOverMaxBurst: "FirstBurstLength is over MaxBurstLength"
    }
  }
}
