package widemerge.interop;

import static org.apache.parquet.schema.LogicalTypeAnnotation.dateType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.decimalType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.enumType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.float16Type;
import static org.apache.parquet.schema.LogicalTypeAnnotation.intType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.jsonType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.stringType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.timeType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.timestampType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.uuidType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit.MICROS;
import static org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit.MILLIS;
import static org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit.NANOS;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.BINARY;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.BOOLEAN;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.DOUBLE;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.FIXED_LEN_BYTE_ARRAY;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.FLOAT;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.INT32;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.INT64;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.INT96;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type.Repetition;
import org.apache.parquet.schema.Types;

/** Columns of the kinds parquet-java writes, and seeded values for them. */
final class Columns {
  /** Kinds that a table which must be aligned may have. */
  static final List<PrimitiveType> COMMON = List.of(
      column("bool", BOOLEAN, null, 0),
      column("int8", INT32, intType(8, true), 0),
      column("int32", INT32, null, 0),
      column("int64", INT64, null, 0),
      column("uint32", INT32, intType(32, false), 0),
      column("uint64", INT64, intType(64, false), 0),
      column("float32", FLOAT, null, 0),
      column("float64", DOUBLE, null, 0),
      column("date", INT32, dateType(), 0),
      column("stamp_ms", INT64, timestampType(false, MILLIS), 0),
      column("stamp_us", INT64, timestampType(true, MICROS), 0),
      column("stamp_ns", INT64, timestampType(false, NANOS), 0),
      column("decimal_9_2", INT32, decimalType(2, 9), 0),
      column("decimal_18_4", INT64, decimalType(4, 18), 0),
      column("decimal_38_10", FIXED_LEN_BYTE_ARRAY, decimalType(10, 38), 16),
      column("string", BINARY, stringType(), 0),
      column("binary", BINARY, null, 0));

  /** Kinds for tables that are spliced. */
  static final List<PrimitiveType> EXOTIC = List.of(
      column("int96", INT96, null, 0),
      column("float16", FIXED_LEN_BYTE_ARRAY, float16Type(), 2),
      column("time_ms", INT32, timeType(true, MILLIS), 0),
      column("time_us", INT64, timeType(false, MICROS), 0),
      column("time_ns", INT64, timeType(true, NANOS), 0),
      column("decimal_bytes", BINARY, decimalType(3, 20), 0),
      column("enum", BINARY, enumType(), 0),
      column("json", BINARY, jsonType(), 0),
      column("uuid", FIXED_LEN_BYTE_ARRAY, uuidType(), 16),
      column("fixed_5", FIXED_LEN_BYTE_ARRAY, null, 5));

  private static final String[] WORDS = {"", "audusd", "Zürich", "日本", "🙂", "a \"quoted\"\n line\t\\", "x".repeat(120)};

  private Columns() {}

  /** Adds a value to the row, or nothing (null) in about one of eight rows. */
  static void addValue(Group row, PrimitiveType column, Random draw) {
    if (draw.nextInt(8) == 0) return;
    String name = column.getName();
    LogicalTypeAnnotation kind = column.getLogicalTypeAnnotation();
    switch (column.getPrimitiveTypeName()) {
      case BOOLEAN -> row.append(name, draw.nextBoolean());
      case INT32 -> row.append(name, (int) integer(name, draw));
      case INT64 -> row.append(name, integer(name, draw));
      case INT96 -> row.append(name, int96(draw));
      case FLOAT -> row.append(name, (float) floating(draw));
      case DOUBLE -> row.append(name, floating(draw));
      case BINARY, FIXED_LEN_BYTE_ARRAY -> row.append(name, bytes(name, column.getTypeLength(), draw));
    }
  }

  private static PrimitiveType column(String name, PrimitiveTypeName type, LogicalTypeAnnotation kind, int length) {
    return Types.primitive(type, Repetition.OPTIONAL).length(length).as(kind).named(name);
  }

  private static long integer(String name, Random draw) {
    return switch (name) {
      case "int8" -> draw.nextInt(256) - 128;
      case "date" -> draw.nextInt(60_000) - 20_000;
      case "decimal_9_2" -> draw.nextInt(1_999_999_999) - 999_999_999;
      case "decimal_18_4" -> draw.nextLong(1_999_999_999_999_999_999L) - 999_999_999_999_999_999L;
      case "time_ms" -> draw.nextInt(86_400_000);
      case "time_us" -> draw.nextLong(86_400_000_000L);
      // Whole microseconds: pandas hands times over without nanoseconds.
      case "time_ns" -> draw.nextLong(86_400_000_000L) * 1000;
      case "stamp_ms" -> draw.nextLong(4_000_000_000_000L);
      case "stamp_us" -> draw.nextLong(4_000_000_000_000_000L);
      case "stamp_ns" -> draw.nextLong(4_000_000_000_000_000_000L);
      default -> draw.nextLong();
    };
  }

  private static double floating(Random draw) {
    double[] special = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.0, -0.0};
    return draw.nextInt(5) == 0 ? special[draw.nextInt(special.length)] : draw.nextGaussian() * 100;
  }

  private static Binary int96(Random draw) {
    ByteBuffer parts = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    // Whole microseconds: DuckDB reads int96 without nanoseconds.
    parts.putLong(draw.nextLong(86_400_000_000L) * 1000).putInt(2_440_588 + draw.nextInt(30_000));
    return Binary.fromConstantByteArray(parts.array());
  }

  private static Binary bytes(String name, int length, Random draw) {
    if (name.equals("json")) return Binary.fromString("{\"a\": " + draw.nextInt(50) + "}");
    if (name.equals("string") || name.equals("enum")) return Binary.fromString(WORDS[draw.nextInt(WORDS.length)]);
    if (name.equals("decimal_bytes")) {
      return Binary.fromConstantByteArray(BigInteger.valueOf(draw.nextLong()).toByteArray());
    }
    if (name.equals("decimal_38_10")) return Binary.fromConstantByteArray(padded(BigInteger.valueOf(draw.nextLong())));
    if (name.equals("float16")) {
      // Finite halves only: exponents below 31.
      int half = draw.nextInt(0x7c00) | (draw.nextBoolean() ? 0x8000 : 0);
      return Binary.fromConstantByteArray(new byte[] {(byte) half, (byte) (half >> 8)});
    }
    byte[] value = new byte[length > 0 ? length : draw.nextInt(40)];
    draw.nextBytes(value);
    return Binary.fromConstantByteArray(value);
  }

  private static byte[] padded(BigInteger value) {
    return ByteBuffer.allocate(16).putLong(value.signum() < 0 ? -1 : 0).putLong(value.longValue()).array();
  }
}
