// What the model decides where the standard, as this project has it, leaves something open. An
// engine may differ in what is marked *loose*; a test that compares must then look away.
//
// The list as a whole: ILLEGAL REQUEST, no segment number, nothing has run.
//  1. An empty list is GOOD. Fewer than 16 bytes (LID4: 48), lengths that do not close exactly
//     (too short or with bytes to spare), and a descriptor that its list cuts off: 1A/00, no
//     pointer. The 8-byte form and the 12-byte form without inline length take the rest as inline
//     data.
//  2. Field pointers count from the start of the list (SD = 0). Unknown target or segment code:
//     26/07 or 26/09, at the code. 14h and above, EBh and above are unknown to the model.
//  3. An unrecognised header: 26/00 at 12. LIST ID USAGE 01b: 26/00 at 1; 11b with a list
//     identifier: 26/00 at it; 11b with 0Bh-0Fh: 26/00 at that segment's code. LID4: byte 0 must
//     be 01h, 2-3 0020h, 16 FFh. A target list length that is not a multiple of 32: 26/00 at it,
//     when the lengths close. LID4 is never guessed, it is told by the service action.
//  4. A DESCRIPTOR LENGTH other than the code's: 26/00 at byte 2 of the segment. 05h: 12 plus the
//     embedded bytes rounded up to 4. The 8-byte form has the SPC-2 segment layouts here.
//  5. FIXED = 1 with STREAM BLOCK LENGTH 0, and 0 with one: 26/00 at byte 29 of the target, used
//     or not. A STREAM DEVICE TRANSFER LENGTH of 0: 26/00 at it, even when there is nothing to
//     move. An inline offset that is not a multiple of 4: 26/00 at it. A designator over 20 bytes:
//     26/00 at its length. LU ID TYPE other than 00b: ignored in E4h, 26/00 at byte 1 elsewhere.
//  6. EAh takes two index slots; an index to the second is out of range. Reserved fields are
//     ignored. Order: header, usage, targets in order, segments in order, then 11b with 0Bh-0Fh.
//
// The start of a segment: COPY ABORTED; nothing of the segment has moved.
//  7. Order: source (index, NUL or missing, device type, fitness for the segment, block length),
//     the same for the destination, inline range, source LBA, destination LBA. Reserved index
//     fields of 04h-06h, 0Fh and 10h-12h are not looked at. Counts of 0 are checked all the same.
//  8. Index out of range, a reserved index value, NUL = 1, a missing device: 08/04; the pointer is
//     the index in the segment (SD = 1), or the target descriptor (SD = 0) when the index was
//     good.
//  9. PERIPHERAL DEVICE TYPE in the descriptor differs from the device's (disk 00h, tape 01h; any
//     other type differs): 0D/03 at byte 1 of the target. A device unfit for the segment: 26/0C at
//     the index.
// 10. DISK BLOCK LENGTH neither 0 nor the disk's: found when a data segment uses the disk, so COPY
//     ABORTED 26/00 at byte 29 of the target (SD = 0). 07h does not look at it.
// 11. LBA out of range: 0D/02 at the LBA (SD = 1), nothing forwarded. What counts are the blocks
//     that the segment touches, with the residuals in the account: not the count in the
//     descriptor. A segment that touches none may name any LBA.
// 12. 04h beyond the inline data: 26/0B at byte 12 (SD = 1). 10h to 13h need tapes, 07h any
//     device. A fixed command of over 1 GiB: 26/00, a limit of the model alone. Pointers after a
//     segment has started are a courtesy: *loose*.
//
// Moving data.
// 13. A segment's bytes to process: the source residual first, then new ones. It reads whole
//     blocks (00h, 02h), the bytes of its range (08h, 0Ah; what the residual supplied shortens the
//     range at its end), or whole commands (tapes). A residual longer than needed is used in part,
//     nothing is read.
// 14. 01h, 02h with DC = 1, 09h: process what the destination residual lacks to the count, no
//     more; the rest of the last command read is source residual. If the residual exceeds the
//     count, the excess stays residual: with CAT = 0, 26/0A, also with PAD.
// 15. 0Ah processes its count and writes its count: an old destination residual is written first
//     and as much of the new data is left over. 08h writes all whole units like 00h.
// 16. A unit of the destination is a block of a disk or a whole tape command; padding fills a
//     unit. 02h with DC = 0 pads one more block after those written; it is part of the range
//     check.
// 17. 26/0A is found at the end of the segment, after the whole units are written. In 04h, 05h the
//     source's PAD is 0, in 06h, 0Fh the destination's; old residuals count too: 06h with CAT = 0
//     and source PAD = 0 fails over an old destination residual.
// 18. The byte offset of 08h-0Ah may exceed the block length; it is then a plain distance.
// 19. A zero block or byte count of 00h, 02h with DC = 0, 03h, 04h, 05h, 08h still writes whole
//     units of the old residual (and pads); the end-of-segment rules hold for all counts of 0.
// 20. 02h, 0Ah on one disk: everything is read before anything is written. The same holds for 03h
//     on one tape: all reads, then all writes (the generator makes no such segment).
//
// Failures of a device in the middle: 0D/01.
// 21. The source fails: what the commands before it delivered is processed and written in whole
//     units (01h, 09h: up to the last whole block), then the segment fails with the source's
//     sense. What the failing READ delivered is dropped. No padding is written.
// 22. The destination fails: no more is written. The segment has then read all it needs, or up to
//     a failing READ, whose sense is not reported: only the destination's is. Where the source
//     tape stands is *loose* (`loosePosition`), and so is bytesRead.
// 23. Write protection shows at the first command that writes: key 7, 27/00, no INFORMATION, the
//     tape stays. Zero filemarks and zero bytes are no such command.
// 24. INFORMATION of COPY ABORTED: what would have been written had all gone well (padding
//     included) less what was; blocks of a disk (touched ones less completed ones), blocks of a
//     tape in fixed mode, bytes in variable mode. Only when the segment wrote something; so 26/0A
//     gives 0 or none. 07h, 10h-13h and 06h, 0Fh give none.
// 25. What a failing fixed WRITE got onto the tape counts as written.
//
// Tapes. INFORMATION in the forwarded sense:
// 26. READ variable: asked less actual (ILI; negative when the record is longer), asked (filemark,
//     end of data). READ fixed: blocks asked less blocks read before the one that stopped it; a
//     wrong length has been passed. All with key 0 except BLANK CHECK.
// 27. VOLUME OVERFLOW: the record's length, in fixed mode the blocks not written. The records
//     before the position are what is on the tape; a record that does not fit cuts nothing off.
//     Early warning is judged once at the end of a command and goes unnoticed in the copy.
// 28. SPACE: asked less done, as a magnitude in both directions. Backwards a filemark is left
//     ahead of the position; at the beginning: key 0, EOM, 00/04. Codes other than 0, 1, 3: 5
//     24/00. LOCATE past the end: BLANK CHECK 00/05 without INFORMATION; to the end itself: GOOD.
// 29. WRITE FILEMARKS of 0 changes nothing; IMMED makes no difference.
// 30. 10h-12h report their device as the destination.
// 31. 13h copies records as they are, whatever FIXED says, filemarks included those that end it;
//     it counts filemarks in a row within this segment; end of data at once is a success. On one
//     tape it reads and writes in turn; when a write fails the source stands after the object read.
//
// What is reported.
// 32. Held data is the processed data of 0Bh-0Fh, without padding and without residuals from
//     before the segment; kept with LIST ID USAGE 00b and 10b alike. After such a segment failed,
//     how much of it is held is *loose* (`heldDataIsLoose`).
// 33. segmentsProcessed includes the segment that failed. bytesRead: what good commands delivered,
//     whole blocks in 00h-03h, only the range in 08h-0Ah; 13h included; inline and embedded data
//     not. bytesWritten: padding included, filemarks 0, only the range in 09h, 0Ah.
// 34. 07h checks as any segment does (7, 8, 9); TUR makes no difference, every device is ready.
