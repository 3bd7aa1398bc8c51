package widemerge.interop;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DateLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DecimalLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.Float16LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;

/** Canonical text of a value, in the words of canon.py beside this project. */
final class Canon {
  private static final long JULIAN_DAY_OF_EPOCH = 2_440_588;
  private static final long NANOS_OF_DAY = 86_400_000_000_000L;

  private Canon() {}

  /** The value of a flat column in one row; null where it is null. */
  static String value(Group row, int column, PrimitiveType type) {
    if (row.getFieldRepetitionCount(column) == 0) return null;
    return switch (type.getPrimitiveTypeName()) {
      case BOOLEAN -> Boolean.toString(row.getBoolean(column, 0));
      case INT32 -> integer(row.getInteger(column, 0), 32, type.getLogicalTypeAnnotation());
      case INT64 -> integer(row.getLong(column, 0), 64, type.getLogicalTypeAnnotation());
      case INT96 -> "ts:" + nanosOfInt96(row.getInt96(column, 0));
      case FLOAT -> float32(row.getFloat(column, 0));
      case DOUBLE -> float64(row.getDouble(column, 0));
      case BINARY, FIXED_LEN_BYTE_ARRAY -> bytes(row.getBinary(column, 0), type.getLogicalTypeAnnotation());
    };
  }

  private static String integer(long value, int width, LogicalTypeAnnotation kind) {
    if (kind instanceof DateLogicalTypeAnnotation) return "d:" + value;
    if (kind instanceof DecimalLogicalTypeAnnotation decimal) return decimal(BigInteger.valueOf(value), decimal);
    if (kind instanceof TimeLogicalTypeAnnotation time) return "t:" + inNanos(value, time.getUnit());
    if (kind instanceof TimestampLogicalTypeAnnotation stamp) {
      return (stamp.isAdjustedToUTC() ? "tsz:" : "ts:") + inNanos(value, stamp.getUnit());
    }
    boolean unsigned = kind instanceof IntLogicalTypeAnnotation annotation && !annotation.isSigned();
    if (!unsigned) return "i:" + value;
    return "i:" + (width == 32 ? Integer.toUnsignedString((int) value) : Long.toUnsignedString(value));
  }

  /** BigInteger: milliseconds far from 1970 do not fit a long in nanoseconds. */
  private static BigInteger inNanos(long value, TimeUnit unit) {
    long factor = switch (unit) {
      case MILLIS -> 1_000_000;
      case MICROS -> 1_000;
      case NANOS -> 1;
    };
    return BigInteger.valueOf(value).multiply(BigInteger.valueOf(factor));
  }

  private static long nanosOfInt96(Binary value) {
    ByteBuffer parts = value.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    long nanos = parts.getLong();
    return (parts.getInt() - JULIAN_DAY_OF_EPOCH) * NANOS_OF_DAY + nanos;
  }

  private static String float32(float value) {
    return "f4:" + (Float.isNaN(value) ? "nan" : String.format("%08x", Float.floatToRawIntBits(value)));
  }

  private static String float64(double value) {
    return "f8:" + (Double.isNaN(value) ? "nan" : String.format("%016x", Double.doubleToRawLongBits(value)));
  }

  private static String bytes(Binary value, LogicalTypeAnnotation kind) {
    if (kind instanceof DecimalLogicalTypeAnnotation decimal) {
      return decimal(new BigInteger(value.getBytes()), decimal);
    }
    if (kind instanceof Float16LogicalTypeAnnotation) {
      return float32(widen(value.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN).getShort()));
    }
    boolean text = kind != null
        && (kind.equals(LogicalTypeAnnotation.stringType())
            || kind.equals(LogicalTypeAnnotation.enumType())
            || kind.equals(LogicalTypeAnnotation.jsonType()));
    return text ? "s:" + value.toStringUsingUTF8() : "b:" + HexFormat.of().formatHex(value.getBytes());
  }

  private static String decimal(BigInteger unscaled, DecimalLogicalTypeAnnotation kind) {
    return "n:" + new BigDecimal(unscaled, kind.getScale()).toPlainString();
  }

  /** IEEE 754 half precision to single, exactly. */
  private static float widen(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = (half >> 10) & 0x1f;
    int fraction = half & 0x3ff;
    if (exponent == 0x1f) return Float.intBitsToFloat(sign | 0x7f800000 | (fraction << 13));
    if (exponent == 0) return Math.copySign(fraction * 0x1p-24f, Float.intBitsToFloat(sign | 0x3f800000));
    return Float.intBitsToFloat(sign | ((exponent + 112) << 23) | (fraction << 13));
  }
}
