package widemerge.interop;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.impl.ColumnReadStoreImpl;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.column.values.bloomfilter.BloomFilter;
import org.apache.parquet.example.DummyRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.internal.column.columnindex.ColumnIndex;
import org.apache.parquet.internal.column.columnindex.OffsetIndex;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;

/** Reads every page index and bloom filter a footer points at, and holds it against the pages themselves. */
final class Indexes {
  private final ParquetFileReader reader;
  private final MessageType schema;
  private final String createdBy;
  private final List<String> problems = new ArrayList<>();
  private int offsetIndexes;
  private int columnIndexes;
  private int bloomFilters;

  private Indexes(ParquetFileReader reader) {
    this.reader = reader;
    this.schema = reader.getFileMetaData().getSchema();
    this.createdBy = reader.getFileMetaData().getCreatedBy();
  }

  /** {"offsetIndexes", "columnIndexes", "bloomFilters", "problems": [texts]} */
  static String describe(Path file) throws IOException {
    try (ParquetFileReader reader = ParquetFileReader.open(new LocalInputFile(file))) {
      return new Indexes(reader).check();
    }
  }

  private String check() throws IOException {
    List<BlockMetaData> groups = reader.getRowGroups();
    for (int group = 0; group < groups.size(); group += 1) {
      // Twice: the pages and the values of a group are each read through once.
      try (PageReadStore pages = reader.readRowGroup(group);
          PageReadStore values = reader.readRowGroup(group)) {
        for (ColumnChunkMetaData chunk : groups.get(group).getColumns()) checkChunk(chunk, pages, values);
      }
    }
    return String.format(
        "{\"offsetIndexes\":%d,\"columnIndexes\":%d,\"bloomFilters\":%d,\"problems\":%s}",
        offsetIndexes, columnIndexes, bloomFilters, Json.list(problems));
  }

  private void checkChunk(ColumnChunkMetaData chunk, PageReadStore pages, PageReadStore values) throws IOException {
    List<DataPage> data = dataPages(pages.getPageReader(schema.getColumnDescription(chunk.getPath().toArray())));
    OffsetIndex offsets = reader.readOffsetIndex(chunk);
    if (offsets != null) checkOffsets(chunk, offsets, data);
    ColumnIndex bounds = reader.readColumnIndex(chunk);
    if (bounds != null) checkBounds(chunk, bounds, data);
    BloomFilter bloom = reader.readBloomFilter(chunk);
    if (bloom != null) checkBloom(chunk, bloom, values);
  }

  private static List<DataPage> dataPages(PageReader reader) {
    reader.readDictionaryPage();
    List<DataPage> pages = new ArrayList<>();
    for (DataPage page = reader.readPage(); page != null; page = reader.readPage()) pages.add(page);
    return pages;
  }

  private void checkOffsets(ColumnChunkMetaData chunk, OffsetIndex offsets, List<DataPage> data) {
    offsetIndexes += 1;
    expect(chunk, "pages in the offset index", data.size(), offsets.getPageCount());
    long end = chunk.getStartingPos() + chunk.getTotalSize();
    int last = offsets.getPageCount() - 1;
    if (last < 0) return;
    expect(chunk, "first page of the offset index", chunk.getFirstDataPageOffset(), offsets.getOffset(0));
    expect(chunk, "end of the offset index", end, offsets.getOffset(last) + offsets.getCompressedPageSize(last));
    long row = 0;
    for (int page = 0; page <= last && page < data.size(); page += 1) {
      expect(chunk, "first row of page " + page, row, offsets.getFirstRowIndex(page));
      row += data.get(page).getValueCount();
    }
  }

  private void checkBounds(ColumnChunkMetaData chunk, ColumnIndex bounds, List<DataPage> data) {
    columnIndexes += 1;
    expect(chunk, "pages in the column index", data.size(), bounds.getMinValues().size());
    if (bounds.getNullCounts() == null || chunk.getStatistics() == null || !chunk.getStatistics().isNumNullsSet()) return;
    long nulls = bounds.getNullCounts().stream().mapToLong(Long::longValue).sum();
    expect(chunk, "nulls in the column index", chunk.getStatistics().getNumNulls(), nulls);
  }

  private void checkBloom(ColumnChunkMetaData chunk, BloomFilter bloom, PageReadStore values) {
    bloomFilters += 1;
    ColumnDescriptor column = schema.getColumnDescription(chunk.getPath().toArray());
    ColumnReadStoreImpl store =
        new ColumnReadStoreImpl(values, new DummyRecordConverter(schema).getRootConverter(), schema, createdBy);
    ColumnReader reader = store.getColumnReader(column);
    Set<Long> hashes = new HashSet<>();
    for (long row = 0; row < reader.getTotalValueCount(); row += 1, reader.consume()) {
      if (reader.getCurrentDefinitionLevel() == column.getMaxDefinitionLevel()) hashes.add(hash(bloom, reader));
    }
    long found = hashes.stream().filter(bloom::findHash).count();
    expect(chunk, "values that the bloom filter knows", hashes.size(), found);
    boolean full = true;
    for (int probe = 0; probe < 1000 && full; probe += 1) full = bloom.findHash(bloom.hash(Binary.fromString("no such value " + probe)));
    if (full) problems.add(chunk.getPath().toDotString() + ": the bloom filter says yes to everything");
  }

  private static long hash(BloomFilter bloom, ColumnReader reader) {
    return switch (reader.getDescriptor().getPrimitiveType().getPrimitiveTypeName()) {
      case INT32 -> bloom.hash(reader.getInteger());
      case INT64 -> bloom.hash(reader.getLong());
      case FLOAT -> bloom.hash(reader.getFloat());
      case DOUBLE -> bloom.hash(reader.getDouble());
      default -> bloom.hash(reader.getBinary());
    };
  }

  private void expect(ColumnChunkMetaData chunk, String what, long expected, long found) {
    if (expected != found) problems.add(chunk.getPath().toDotString() + ": " + what + ": " + found + " instead of " + expected);
  }
}
