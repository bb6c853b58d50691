// A BGR picture becomes the network's input: resized, placed, normalised by a table, in planes. One thread a pixel of the input.
//
// The resize is OpenCV's INTER_LINEAR for bytes: weights of 11 bits, products kept whole until the end.
// Built at run time by NVRTC, with no headers: halves are rounded by the instruction itself.

struct Geometry {
    int height, width;            // of the picture
    int rows, columns;            // of the input
    int top, left;                // of the picture in the input
    int fitted_rows, fitted_columns;
    int swap;                     // 1: the planes are R, G, B
    int pad;                      // the grey of the bars
};

__device__ __forceinline__ void store(float *at, float value) { *at = value; }

__device__ __forceinline__ void store(unsigned short *at, float value) {
    asm("{ cvt.rn.f16.f32 %0, %1; }" : "=h"(*at) : "f"(value));
}

// Where a pixel of the resized picture lies in the source: the first of its two neighbours, and the weight of the second in 2048ths.
__device__ __forceinline__ void tap(int at, int length, int fitted, int *first, int *second, int *weight) {
    double scale = (double)length / (double)fitted;
    float place = (float)((at + 0.5) * scale - 0.5);
    int low = (int)floorf(place);
    float share = place - (float)low;
    if (low < 0) { low = 0; share = 0.f; }
    if (low >= length - 1) { low = length - 1; share = 0.f; }
    *first = low;
    *second = min(low + 1, length - 1);
    *weight = __float2int_rn(share * 2048.f);
}

template <typename Value>
__device__ __forceinline__ void letterbox(const unsigned char *picture, Value *input, const float *table, Geometry g) {
    int column = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= g.columns || row >= g.rows) return;
    int x = column - g.left, y = row - g.top;
    int values[3] = {g.pad, g.pad, g.pad};
    if (x >= 0 && y >= 0 && x < g.fitted_columns && y < g.fitted_rows) {
        int x0, x1, wx, y0, y1, wy;
        tap(x, g.width, g.fitted_columns, &x0, &x1, &wx);
        tap(y, g.height, g.fitted_rows, &y0, &y1, &wy);
        const unsigned char *upper = picture + (long long)y0 * g.width * 3;
        const unsigned char *lower = picture + (long long)y1 * g.width * 3;
        for (int c = 0; c < 3; ++c) {
            int above = upper[x0 * 3 + c] * (2048 - wx) + upper[x1 * 3 + c] * wx;
            int below = lower[x0 * 3 + c] * (2048 - wx) + lower[x1 * 3 + c] * wx;
            values[c] = (int)(((long long)above * (2048 - wy) + (long long)below * wy + (1 << 21)) >> 22);
        }
    }
    long long plane = (long long)g.rows * g.columns, at = (long long)row * g.columns + column;
    for (int c = 0; c < 3; ++c) {
        int source = g.swap ? 2 - c : c;
        store(input + c * plane + at, table[c * 256 + values[source]]);
    }
}

extern "C" __global__ void letterbox_float32(const unsigned char *picture, float *input, const float *table, Geometry g) {
    letterbox(picture, input, table, g);
}

extern "C" __global__ void letterbox_float16(const unsigned char *picture, unsigned short *input, const float *table, Geometry g) {
    letterbox(picture, input, table, g);
}
