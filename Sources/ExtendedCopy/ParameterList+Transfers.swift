extension ParameterList {
  /// Bytes of the largest READ or WRITE of a stream device that a segment asks for.
  public var largestTransfer: Int {
    let targets = targetIndices
    func bytes(_ transferLength: UInt32, _ index: UInt16?) -> Int {
      guard let index, Int(index) < targets.count, let number = targets[Int(index)],
        case .stream(_, true, let blockLength) = self.targets[number].device
      else { return Int(transferLength) }
      return Int(transferLength) * Int(blockLength)
    }
    return segments.reduce(0) { largest, segment in
      switch segment.operation {
      case .blockToStream(let length, _, _), .inlineToStream(let length, _, _),
        .embeddedToStream(let length, _), .blockOffsetToStream(let length, _, _, _):
        max(largest, bytes(length, segment.destination))
      case .streamToBlock(let length, _, _), .streamToDiscard(let length, _),
        .streamToBlockOffset(let length, _, _, _):
        max(largest, bytes(length, segment.source))
      case .streamToStream(let source, let destination, _):
        max(largest, bytes(source, segment.source), bytes(destination, segment.destination))
      default: largest
      }
    }
  }
}
