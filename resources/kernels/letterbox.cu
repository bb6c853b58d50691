// A BGR picture becomes the network's input: resized, placed, normalised by a table, in planes. One thread a pixel of the input.
//
// The resize is OpenCV's INTER_LINEAR for bytes, to the bit: weights of 11 bits, and its way of cutting products off.
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

// The two neighbours of a pixel of the resized picture on one axis, and their weights in 2048ths.
struct Tap { int first, second, near, far; };

__device__ __forceinline__ Tap tap(int at, int length, int fitted, bool along_row) {
    double scale = 1.0 / ((double)fitted / (double)length);
    float place = (float)((at + 0.5) * scale - 0.5);
    int low = (int)floorf(place);
    float share = place - (float)low;
    // OpenCV gives a pixel beyond an edge one neighbour along a row; across rows it keeps both weights of the one row.
    if (along_row && low < 0) { low = 0; share = 0.f; }
    if (along_row && low >= length - 1) { low = length - 1; share = 0.f; }
    return {max(low, 0), min(low + 1, length - 1), __float2int_rn((1.f - share) * 2048.f), __float2int_rn(share * 2048.f)};
}

template <typename Value>
__device__ __forceinline__ void letterbox(const unsigned char *picture, Value *input, const float *table, Geometry g) {
    int column = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= g.columns || row >= g.rows) return;
    int x = column - g.left, y = row - g.top;
    int values[3] = {g.pad, g.pad, g.pad};
    if (x >= 0 && y >= 0 && x < g.fitted_columns && y < g.fitted_rows) {
        Tap across = tap(x, g.width, g.fitted_columns, true), down = tap(y, g.height, g.fitted_rows, false);
        const unsigned char *upper = picture + (long long)down.first * g.width * 3;
        const unsigned char *lower = picture + (long long)down.second * g.width * 3;
        for (int c = 0; c < 3; ++c) {
            int left = across.first * 3 + c, right = across.second * 3 + c;
            int above = upper[left] * across.near + upper[right] * across.far;
            int below = lower[left] * across.near + lower[right] * across.far;
            values[c] = (((down.near * (above >> 4)) >> 16) + ((down.far * (below >> 4)) >> 16) + 2) >> 2;
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
